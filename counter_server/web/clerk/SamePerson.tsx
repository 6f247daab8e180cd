import type { ClerkVisit } from "../../../webrtc/web/wire";
import { Button, Notice, Problem, useAction } from "../kit/parts";
import { useWords } from "../kit/words";
import { cueWords, doubtWords } from "../kit/words/states";
import type { ClerkDesk } from "./desk";

/** Whether the person of the face check is still the one in the call, which cue spoke, and what to do about it. */
export function SamePerson({ desk, visit }: { readonly desk: ClerkDesk; readonly visit: ClerkVisit }) {
  const { t, say } = useWords();
  const asking = useAction();
  const now = visit.continuity ?? null;
  if (now === null) {
    return null;
  }
  if (now.again) {
    return (
      <Notice tone="info">
        <p data-continuity="again">{t("samePersonAgain")}</p>
      </Notice>
    );
  }
  const cue = now.cue ?? null;
  if (now.state !== "broken") {
    const held = now.state === "held";
    const checked = visit.face?.live === true;
    return (
      <p className="same-person" data-continuity={now.state} data-cue={cue ?? undefined} data-checked={checked}>
        <span className="dot" aria-hidden="true" />
        {held || cue === null
          ? t(checked ? "samePersonHeld" : "samePersonUnchecked")
          : t("samePersonUncertain", { cue: say(doubtWords[cue]) })}
      </p>
    );
  }
  return (
    <Notice tone="bad" urgent>
      <div data-continuity="broken" data-cue={cue ?? undefined}>
        <h2>{t("samePersonBroken")}</h2>
        {cue && <p className="same-person-cue">{say(cueWords[cue])}</p>}
        <p>{t("samePersonHalted")}</p>
        <div className="actions">
          <Button kind="primary" disabled={asking.busy} onPress={() => void asking.run(() => desk.identifyAgain())}>
            {t(now.needs_card ? "askCardAndFace" : "askFace")}
          </Button>
        </div>
        <Problem of={asking.problem} />
      </div>
    </Notice>
  );
}
