import { useState } from "react";
import type { ConsoleView, PhoneLink, TicketRow } from "../../../webrtc/web/wire";
import { Icon } from "../kit/Icons";
import { svgAddress } from "../kit/Pictures";
import { Button, clockTime, Problem, Sheet, useAction, useCounting } from "../kit/parts";
import { useWords } from "../kit/words";
import { channelWords } from "../kit/words/states";
import type { ClerkDesk } from "./desk";

interface QueueProps {
  readonly desk: ClerkDesk;
  readonly view: ConsoleView;
}

/** Who waits, longest first; nothing personal before a ticket is taken. */
export function Queue({ desk, view }: QueueProps) {
  const { t, language } = useWords();
  const taking = useAction();
  const linking = useAction();
  const [link, setLink] = useState<PhoneLink | null>(null);
  const free = view.visit === null;
  return (
    <section className="panel" aria-labelledby="queue-title">
      <div className="panel-head">
        <h2 id="queue-title">{t("queueTitle")}</h2>
        <p className="hint">{t("queueCount", { n: view.waiting.length })}</p>
      </div>
      <Button
        kind="primary"
        icon="clerk"
        disabled={!free || view.waiting.length === 0 || taking.busy}
        onPress={() => void taking.run(() => desk.takeNext())}
      >
        {t("takeNext")}
      </Button>
      <Problem of={taking.problem} />
      {view.waiting.length === 0 ? (
        <p className="hint">{t("queueEmpty")}</p>
      ) : (
        <ul className="tickets" aria-labelledby="queue-title">
          {view.waiting.map((row) => (
            <Ticket
              key={row.ticket_id}
              row={row}
              free={free && !taking.busy}
              onTake={() => void taking.run(() => desk.take(row.ticket_id))}
            />
          ))}
        </ul>
      )}
      <Button
        kind="quiet"
        icon="phone"
        disabled={linking.busy}
        onPress={() => void linking.run(async () => setLink(await desk.phoneLink()))}
      >
        {t("phoneLink")}
      </Button>
      <Problem of={linking.problem} />
      {link !== null && (
        <Sheet title={t("phoneLinkTitle")} onClose={() => setLink(null)}>
          <img className="qr" alt={t("phoneQr")} src={svgAddress(link.qr_svg)} />
          <p className="address" data-phone-link={link.url}>
            {link.url}
          </p>
          <p className="hint">
            {t("phoneLinkText", {
              time: new Date(link.expires_at).toLocaleTimeString(language === "zh" ? "zh-CN" : "en-GB", {
                hour: "2-digit",
                minute: "2-digit",
              }),
            })}
          </p>
          <div className="actions">
            <Button kind="primary" onPress={() => setLink(null)}>
              {t("close")}
            </Button>
          </div>
        </Sheet>
      )}
    </section>
  );
}

interface TicketProps {
  readonly row: TicketRow;
  readonly free: boolean;
  readonly onTake: () => void;
}

function Ticket({ row, free, onTake }: TicketProps) {
  const { t, say } = useWords();
  const waited = useCounting(row.waiting_s, true);
  return (
    <li className="ticket-row">
      <p className="ticket-row-number">{row.number}</p>
      <div className="ticket-row-words">
        <p>{say(row.service_title)}</p>
        <p className="hint">
          {say(channelWords[row.channel])} · {row.language === "zh" ? "中文" : "English"} ·{" "}
          {t("waited", { time: clockTime(waited) })}
        </p>
        {row.referred && (
          <p className="flag">
            <Icon name="face" /> {t("referred")}
          </p>
        )}
      </div>
      <Button disabled={!free} onPress={onTake}>
        {t("takeThis", { number: row.number })}
      </Button>
    </li>
  );
}
