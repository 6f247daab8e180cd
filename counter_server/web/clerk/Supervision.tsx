/** Calls that a supervisor may listen to, whisper into or join; what one does is journaled, and told as policy decides. */
import { useId } from "react";
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

/** Who sees and hears this supervisor now. */
const DOING: Readonly<Record<SupervisionMode, Word>> = {
  listen: "superviseListens",
  whisper: "superviseWhispers",
  join: "superviseJoined",
};

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
  const id = useId();
  const acting = useAction();
  const name = t("superviseOf", { number: call.ticket_number, name: call.clerk_name });
  return (
    <li className="supervised" aria-label={name}>
      <p>{say(call.service_title)}</p>
      <p className="hint" id={id}>
        {name}
      </p>
      <div className="actions">
        {MODES.map(([mode, word]) => (
          <Button
            key={mode}
            pressed={call.mode === mode}
            disabled={acting.busy}
            describedBy={id}
            onPress={() => void acting.run(() => desk.supervise(call.visit_id, mode))}
          >
            {t(word)}
          </Button>
        ))}
        <Button
          kind="danger"
          disabled={call.mode === null || acting.busy}
          describedBy={id}
          onPress={() => void acting.run(() => desk.supervise(call.visit_id, null))}
        >
          {t("superviseLeave")}
        </Button>
      </div>
      <p role="status">{call.mode === null ? "" : t(DOING[call.mode])}</p>
      <Problem of={acting.problem} />
    </li>
  );
}

/** The call that this person takes part in, where there is room to see both sides of it. */
export function WatchedCall({ desk, view }: { readonly desk: ClerkDesk; readonly view: ConsoleView }) {
  const { t, say } = useWords();
  const watching = desk.watching;
  const call = view.calls.find((one) => one.visit_id === watching?.visit_id);
  if (watching === null || call === undefined) {
    return null;
  }
  return (
    <section className="watched" aria-labelledby="watched-title">
      <h1 id="watched-title">{t("visitOf", { number: call.ticket_number, service: say(call.service_title) })}</h1>
      <div className="watched-pictures">
        <figure>
          <RemotePicture call={watching.customer} label={t("sideCustomer")} />
          <figcaption>{t("sideCustomer")}</figcaption>
        </figure>
        <figure>
          <RemotePicture call={watching.clerk} label={t("sideClerk")} />
          <figcaption>{t("colon", { name: t("sideClerk"), value: call.clerk_name })}</figcaption>
        </figure>
      </div>
    </section>
  );
}
