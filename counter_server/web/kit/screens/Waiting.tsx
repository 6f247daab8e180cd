import { useState } from "react";
import type { TicketView } from "../../../../webrtc/web/wire";
import { DeviceCheck } from "../DeviceCheck";
import type { ScreenProps } from "../door";
import { Button, clockTime, Notice, Problem, ScreenTitle, Sheet, useAction, useCounting } from "../parts";
import { useWords, type Words } from "../words";
import { DeviceHelp } from "./DeviceHelp";

/** The estimate as an honest range in minutes. */
function estimate(ticket: TicketView, { t }: Words): string {
  const { estimate_low_s, estimate_high_s } = ticket;
  if (estimate_low_s === null || estimate_high_s === null) {
    return t("waitingUnknown");
  }
  if (estimate_high_s < 60) {
    return t("waitingSoon");
  }
  const low = Math.floor(estimate_low_s / 60);
  const high = Math.max(low + 1, Math.ceil(estimate_high_s / 60));
  return t("waitingRange", { low, high });
}

/** The ticket: number, place and time, live. */
export function Waiting({ visit, view }: ScreenProps) {
  const words = useWords();
  const { t, say } = words;
  const [leaving, setLeaving] = useState(false);
  const [testing, setTesting] = useState(false);
  const ticket = view.ticket;
  const waited = useCounting(ticket?.waiting_s ?? 0, ticket !== null);
  const leave = useAction();
  if (ticket === null) {
    return <ScreenTitle>{t("busy")}</ScreenTitle>;
  }
  const place =
    ticket.position === 0
      ? t("waitingCalled")
      : ticket.position === 1
        ? t("waitingNext")
        : t("waitingPosition", { n: ticket.position });
  return (
    <>
      <div className="stage">
        <p className="eyebrow">{say(view.service_title)}</p>
        <section className="ticket" aria-label={t("waitingTitle")}>
          <div className="ticket-head">
            <ScreenTitle>{t("waitingTitle")}</ScreenTitle>
            <p className="ticket-number">{ticket.number}</p>
            <p className="ticket-place" role="status">
              {place}
            </p>
          </div>
          <dl className="ticket-facts">
            <div>
              <dt>{t("waitingSoFar")}</dt>
              <dd>{clockTime(waited)}</dd>
            </div>
            <div>
              <dt>{t("waitingEstimate")}</dt>
              <dd>{estimate(ticket, words)}</dd>
            </div>
            <div>
              <dt>{t("waitingClerks")}</dt>
              <dd>{ticket.clerks_ready}</dd>
            </div>
          </dl>
        </section>
        {ticket.clerks_ready === 0 && ticket.position > 0 ? (
          <Notice tone="warn">
            <p>{t("waitingNoClerk")}</p>
          </Notice>
        ) : (
          <p className="lead">{t("waitingKeep")}</p>
        )}
      </div>
      <div className="deck">
        <DeviceHelp visit={visit} needs="both" />
        <div className="actions">
          {visit.devices.stream !== null && (
            <Button icon="camera" onPress={() => setTesting(true)}>
              {t("deviceTest")}
            </Button>
          )}
          <Button onPress={() => setLeaving(true)}>{t("waitingLeave")}</Button>
        </div>
      </div>
      {testing && <DeviceCheck devices={visit.devices} onClose={() => setTesting(false)} />}
      {leaving && (
        <Sheet title={t("waitingLeave")} onClose={() => setLeaving(false)}>
          <p>{t("waitingLeaveText")}</p>
          <Problem of={leave.problem} />
          <div className="actions">
            <Button kind="primary" onPress={() => setLeaving(false)}>
              {t("waitingStay")}
            </Button>
            <Button kind="danger" disabled={leave.busy} onPress={() => void leave.run(() => visit.cancel())}>
              {t("leave")}
            </Button>
          </div>
        </Sheet>
      )}
    </>
  );
}
