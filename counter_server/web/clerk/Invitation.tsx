/** Asking a colleague into one's call, and being asked into somebody else's. */
import { useId, useState } from "react";
import type { ConsoleView } from "../../../webrtc/web/wire";
import { Button, Notice, Problem, useAction, useLostFocus } from "../kit/parts";
import { useWords } from "../kit/words";
import { thirdKindWords } from "../kit/words/call";
import type { ClerkDesk } from "./desk";

interface InvitationProps {
  readonly desk: ClerkDesk;
  readonly view: ConsoleView;
}

/** In one's own call: whom to ask, and whether they have answered. */
export function InviteColleague({ desk, view }: InvitationProps) {
  const { t, say } = useWords();
  const id = useId();
  const [chosen, setChosen] = useState("");
  const asking = useAction();
  const free = view.colleagues ?? [];
  const asked = view.invited ?? null;
  if (asked !== null) {
    const name = free.find((one) => one.clerk_id === asked)?.name ?? "";
    return (
      <div className="invite">
        <p role="status">{t("inviteWaits", { name })}</p>
        <Button disabled={asking.busy} onPress={() => void asking.run(() => desk.invite(null))}>
          {t("inviteTakeBack")}
        </Button>
        <Problem of={asking.problem} />
      </div>
    );
  }
  if (free.length === 0) {
    return <p className="hint">{t("inviteNobody")}</p>;
  }
  const whom = free.some((one) => one.clerk_id === chosen) ? chosen : (free[0]?.clerk_id ?? "");
  return (
    <div className="invite">
      <div className="field">
        <label htmlFor={id}>{t("inviteWhom")}</label>
        <select id={id} value={whom} onChange={(event) => setChosen(event.target.value)}>
          {free.map((one) => (
            <option key={one.clerk_id} value={one.clerk_id}>
              {t("inviteOne", { name: one.name, kind: say(thirdKindWords[one.kind]) })}
            </option>
          ))}
        </select>
      </div>
      <Button disabled={asking.busy} onPress={() => void asking.run(() => desk.invite(whom))}>
        {t("inviteAsk")}
      </Button>
      <Problem of={asking.problem} />
    </div>
  );
}

/** At the colleague's console: whose call it is, and the way in and out. */
export function Invited({ desk, view }: InvitationProps) {
  const { t, say } = useWords();
  const answering = useAction();
  const invitation = view.invitation ?? null;
  const section = useLostFocus<HTMLElement>(invitation?.joined); // the button that was pressed has gone
  if (invitation === null) {
    return null;
  }
  const answer = (accept: boolean) => () =>
    void answering.run(() => desk.answerInvitation(invitation.visit_id, accept));
  return (
    <section ref={section} tabIndex={-1} className="panel invited" aria-labelledby="invited-title">
      <h2 id="invited-title">{t(invitation.joined ? "invitedIn" : "invitedTitle")}</h2>
      <Notice tone="info" urgent={!invitation.joined}>
        <p>
          {t(invitation.joined ? "invitedInside" : "invitedText", {
            name: invitation.clerk_name,
            number: invitation.ticket_number,
          })}
        </p>
        <p className="hint">
          {say(invitation.service_title)} ·{" "}
          {t("speaks", { language: invitation.language === "zh" ? "中文" : "English" })}
        </p>
      </Notice>
      <div className="actions">
        {invitation.joined ? (
          <Button kind="danger" disabled={answering.busy} onPress={answer(false)}>
            {t("invitedLeave")}
          </Button>
        ) : (
          <>
            <Button kind="primary" disabled={answering.busy} onPress={answer(true)}>
              {t("invitedAccept")}
            </Button>
            <Button disabled={answering.busy} onPress={answer(false)}>
              {t("invitedDecline")}
            </Button>
          </>
        )}
      </div>
      <Problem of={answering.problem} />
    </section>
  );
}
