import { type FormEvent, useId, useState } from "react";
import type { ApprovalRow, ConsoleView } from "../../../webrtc/web/wire";
import { Icon } from "../kit/Icons";
import { Button, Notice, Problem, ScreenTitle, useAction } from "../kit/parts";
import { useWords } from "../kit/words";
import { outcomeWords } from "../kit/words/states";
import type { ClerkDesk } from "./desk";
import { Checks, Entered, Face, Finger, Holder, Portraits } from "./Evidence";
import { Papers } from "./Papers";

interface ApprovalsProps {
  readonly view: ConsoleView;
  readonly open: string | null;
  readonly onOpen: (visit_id: string | null) => void;
}

/** What waits for a second person. */
export function Approvals({ view, open, onOpen }: ApprovalsProps) {
  const { t, say } = useWords();
  return (
    <section className="panel" aria-labelledby="approvals-title">
      <h2 id="approvals-title">{t("approvalsTitle")}</h2>
      {view.approvals.length === 0 ? (
        <p className="hint">{t("approvalsEmpty")}</p>
      ) : (
        <ul className="tickets">
          {view.approvals.map((row) => (
            <li key={row.visit_id} className="ticket-row">
              <p className="ticket-row-number">{row.ticket_number}</p>
              <div className="ticket-row-words">
                <p>{say(row.service_title)}</p>
                <p className="hint">{t("approvalBy", { name: row.clerk_name })}</p>
              </div>
              <Button
                pressed={open === row.visit_id}
                onPress={() => onOpen(open === row.visit_id ? null : row.visit_id)}
              >
                {t(open === row.visit_id ? "approvalClose" : "approvalOpen", { number: row.ticket_number })}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** All the evidence once more, for other eyes, and their decision. */
export function Approval({ desk, row }: { readonly desk: ClerkDesk; readonly row: ApprovalRow }) {
  const { t, say } = useWords();
  const title = t("approvalOf", { number: row.ticket_number, service: say(row.service_title) });
  return (
    <section className="approval" aria-label={title}>
      <ScreenTitle>{title}</ScreenTitle>
      <p className="hint">{t("approvalBy", { name: row.clerk_name })}</p>
      <div className="approval-columns">
        <div className="column">
          {row.mine ? (
            <Notice tone="info">
              <p>{t("approvalMine")}</p>
            </Notice>
          ) : (
            <Decision desk={desk} row={row} />
          )}
          <Portraits api={desk.api} visitId={row.visit_id} portrait={row.holder !== null} live={row.face !== null} />
          <Face face={row.face} />
          <Finger finger={row.finger ?? null} checks={row.checks} />
          <Checks checks={row.checks} />
        </div>
        <div className="column">
          {row.holder && <Holder holder={row.holder} />}
          <Entered form={row.form} values={row.values} />
          <section className="panel">
            <h2>{t("checklistTitle")}</h2>
            <ul className="checks">
              {row.checklist.map((item) => (
                <li key={item.item_id} data-outcome={item.outcome ?? "not_possible"}>
                  <Icon name={item.outcome === "passed" ? "check" : item.outcome === "failed" ? "cross" : "dash"} />
                  <div>
                    <p>
                      {t("colon", { name: say(item.text), value: say(outcomeWords[item.outcome ?? "not_possible"]) })}
                    </p>
                    {item.note && <p className="hint">{item.note}</p>}
                  </div>
                </li>
              ))}
            </ul>
          </section>
          <Papers api={desk.api} visitId={row.visit_id} document={row.document} />
        </div>
      </div>
    </section>
  );
}

function Decision({ desk, row }: { readonly desk: ClerkDesk; readonly row: ApprovalRow }) {
  const { t } = useWords();
  const id = useId();
  const [password, setPassword] = useState("");
  const [note, setNote] = useState("");
  const deciding = useAction();
  const byPasskey = (desk.clerk?.passkeys ?? 0) > 0;
  const unproven = password === "" && !byPasskey;
  const decide = (decision: "approve" | "decline"): void => {
    void deciding.run(() =>
      desk.approve(row.visit_id, { decision, document_sha256: row.document.sha256, password, note }),
    );
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    decide("approve");
  };
  return (
    <form className="panel act" aria-label={t("approvalDecide")} onSubmit={submit}>
      <p>{t(byPasskey ? "approvalHowPasskey" : "approvalHow")}</p>
      <div className="field">
        <label htmlFor={`${id}-note`}>{t("approvalNote")}</label>
        <input id={`${id}-note`} maxLength={400} value={note} onChange={(event) => setNote(event.target.value)} />
      </div>
      {!byPasskey && (
        <div className="field">
          <label htmlFor={`${id}-password`}>{t("password")}</label>
          <input
            id={`${id}-password`}
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </div>
      )}
      <Problem of={deciding.problem} here={{ wrong_login: t("passwordWrong") }} />
      <div className="actions">
        <Button kind="primary" icon="check" submit disabled={deciding.busy || unproven}>
          {t("approve")}
        </Button>
        <Button kind="danger" icon="cross" disabled={deciding.busy || unproven} onPress={() => decide("decline")}>
          {t("decline")}
        </Button>
      </div>
    </form>
  );
}
