/** Calls that a supervisor may listen to, whisper into or join; what one does is journaled, and told as policy decides. */
import type { ConsoleView, RunningCall, SupervisionMode } from "../../../webrtc/web/wire";
import { RemotePicture } from "../kit/Pictures";
import { Button, Problem, useAction } from "../kit/parts";
import { useWords, type Word } from "../kit/words";
import type { ClerkDesk } from "./desk";

const MODES: readonly (readonly [SupervisionMode, Word])[] = [
  ["listen", "superviseListen"],
  ["whisper", "superviseWhisper"],
  ["join", "superviseJoin"],
];

export function RunningCalls({ desk, view }: { readonly desk: ClerkDesk; readonly view: ConsoleView }) {
  const { t } = useWords();
  return (
    <section className="panel" aria-labelledby="supervise-title">
      <h2 id="supervise-title">{t("superviseTitle")}</h2>
      <p className="hint">{view.calls.length === 0 ? t("superviseEmpty") : t("superviseHint")}</p>
      <ul className="tickets">
        {view.calls.map((call) => (
          <Row key={call.visit_id} desk={desk} call={call} />
        ))}
      </ul>
    </section>
  );
}

function Row({ desk, call }: { readonly desk: ClerkDesk; readonly call: RunningCall }) {
  const { t, say } = useWords();
  const acting = useAction();
  const name = t("superviseOf", { number: call.ticket_number, name: call.clerk_name });
  const watching = desk.watching?.visit_id === call.visit_id ? desk.watching : null;
  return (
    <li className="supervised" aria-label={name}>
      <p>{say(call.service_title)}</p>
      <p className="hint">{name}</p>
      <div className="actions">
        {MODES.map(([mode, word]) => (
          <Button
            key={mode}
            pressed={call.mode === mode}
            disabled={acting.busy}
            onPress={() => void acting.run(() => desk.supervise(call.visit_id, mode))}
          >
            {t(word)}
          </Button>
        ))}
        {call.mode !== null && (
          <Button
            kind="danger"
            disabled={acting.busy}
            onPress={() => void acting.run(() => desk.supervise(call.visit_id, null))}
          >
            {t("superviseLeave")}
          </Button>
        )}
      </div>
      <Problem of={acting.problem} />
      {watching && (
        <div className="supervised-pictures">
          <RemotePicture call={watching.customer} label={t("sideCustomer")} />
          <RemotePicture call={watching.clerk} label={t("sideClerk")} />
        </div>
      )}
    </li>
  );
}
