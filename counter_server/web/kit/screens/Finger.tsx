import { useCallback, useEffect, useRef, useState } from "react";
import type { FingerView, KioskView, Text } from "../../../../webrtc/web/wire";
import { type ScreenProps, useDoor } from "../door";
import { Button, Notice, Problem, Progress, ScreenTitle, useAction } from "../parts";
import type { Visit } from "../visit";
import { useWords } from "../words";
import { fingerAdviceWords, fingerNames } from "../words/instructions";

/** docs/fingerprints.md: four looks a second are enough to place a finger by. */
const LOOK_EVERY_MS = 250;
const ASK_DESK_EVERY_MS = 500;
/** Time to lift the finger before the next impression of an enrolment begins. */
const LIFT_MS = 1_500;

const nameOf = (position: number): Text => fingerNames[position] ?? (fingerNames[0] as Text);

/** The scanner's live picture, an outline to lay the finger into, and one instruction at a time. */
export function Finger({ visit, view }: ScreenProps) {
  const { t, say } = useWords();
  const door = useDoor();
  const finger = view.finger;
  const taking = useAction();
  const leaving = useAction();
  const [chosen, setChosen] = useState<number | null>(null);
  const refresh = door.channel === "kiosk" ? door.refreshDesk : null;
  const desk = door.channel === "kiosk" ? door.desk : null;
  const missing = desk !== null && (desk.scanner === "none" || desk.scanner === "gone");
  const position = chosen ?? finger?.position ?? 2;
  const transaction = finger?.transaction ?? "";

  useEffect(() => {
    if (refresh === null) {
      return;
    }
    void refresh();
    const timer = setInterval(() => void refresh(), ASK_DESK_EVERY_MS);
    return () => clearInterval(timer);
  }, [refresh]);

  const { run } = taking;
  const take = useCallback(
    () => void run(() => visit.takeFinger({ position, transaction })),
    [run, visit, position, transaction],
  );

  // Impressions of an enrolment follow by themselves; a comparison's tries are counted, so each is the person's wish.
  const taken = finger?.taken ?? 0;
  const goesOn = finger?.task === "enrol" && taken > 0 && finger.advice === null;
  const followed = useRef(taken);
  useEffect(() => {
    if (!goesOn || followed.current === taken) {
      return;
    }
    followed.current = taken;
    const timer = setTimeout(take, LIFT_MS);
    return () => clearTimeout(timer);
  }, [goesOn, taken, take]);

  if (finger === null) {
    return null;
  }
  const enrolling = finger.task === "enrol";
  const following = goesOn && followed.current === taken && !taking.busy && taking.problem === null;
  const name = say(nameOf(position));
  return (
    <>
      <div className="stage finger-stage">
        <ScreenTitle>{t(enrolling ? "fingerEnrolTitle" : "fingerTitle", { finger: name })}</ScreenTitle>
        <Glass visit={visit} desk={desk} looking={taking.busy} />
      </div>
      <div className="deck finger-deck">
        {missing ? (
          <Notice tone="warn" urgent>
            <p>{t(enrolling ? "fingerNoScannerEnrol" : "fingerNoScanner")}</p>
          </Notice>
        ) : taking.busy || following ? (
          <p className="instruction" role="status">
            {t(following ? "fingerLift" : stepWord(desk))}
          </p>
        ) : (
          <Advice finger={finger} />
        )}
        {!taking.busy && !missing && <Problem of={taking.problem} />}
        {enrolling && (
          <>
            <Progress label={t("fingerProgress")} value={finger.taken / finger.wanted} />
            <p className="hint">{t("fingerOf", { n: finger.taken, all: finger.wanted })}</p>
          </>
        )}
        {!missing && !taking.busy && !following && (
          <div className="actions">
            {(enrolling || finger.attempts_left > 0) && (
              <Button kind="primary" onPress={take}>
                {t(finger.advice === null && taking.problem === null ? "fingerStart" : "tryAgain")}
              </Button>
            )}
          </div>
        )}
        {enrolling && finger.taken === 0 && !taking.busy && (
          <label className="field">
            <span>{t("fingerOther")}</span>
            <select value={position} onChange={(event) => setChosen(Number(event.target.value))}>
              {fingerNames.slice(1).map((one, place) => (
                <option key={one.en} value={place + 1}>
                  {say(one)}
                </option>
              ))}
            </select>
          </label>
        )}
        <Problem of={leaving.problem} />
        <Button
          kind={missing ? "primary" : "quiet"}
          disabled={leaving.busy}
          describedBy="finger-cannot"
          onPress={() => void leaving.run(() => visit.cannotGiveFinger(missing ? "no_scanner" : "customer"))}
        >
          {t(enrolling ? "fingerStop" : missing ? "fingerWithout" : "fingerCannot")}
        </Button>
        <p className="hint" id="finger-cannot">
          {t(enrolling ? "fingerStopText" : "fingerCannotText")}
        </p>
      </div>
    </>
  );
}

function stepWord(desk: KioskView | null) {
  switch (desk?.finger_step) {
    case "hold_still":
      return "fingerHold";
    case "checking":
      return "fingerChecking";
    default:
      return "fingerPut";
  }
}

/** What to change, and how many tries are left. */
function Advice({ finger }: { readonly finger: FingerView }) {
  const { t, say } = useWords();
  if (finger.advice === null) {
    return <p className="lead">{t(finger.task === "enrol" ? "fingerEnrolWhy" : "fingerWhy")}</p>;
  }
  return (
    <Notice tone="warn" urgent>
      <h2>{say(fingerAdviceWords[finger.advice])}</h2>
      {finger.task === "compare" && <p>{t("faceAttempts", { n: finger.attempts_left })}</p>}
    </Notice>
  );
}

interface GlassProps {
  readonly visit: Visit;
  readonly desk: KioskView | null;
  readonly looking: boolean;
}

/** What lies on the glass now, under the outline of a finger. Nothing of it is kept. */
function Glass({ visit, desk, looking }: GlassProps) {
  const { t } = useWords();
  const [shown, setShown] = useState<string | null>(null);
  useEffect(() => {
    if (!looking) {
      setShown(null);
      return;
    }
    let wanted = true;
    let asking = false;
    const look = async (): Promise<void> => {
      if (asking) {
        return;
      }
      asking = true;
      const url = await visit.fingerPreview();
      asking = false;
      if (wanted) {
        setShown(url);
      } else if (url !== null) {
        URL.revokeObjectURL(url);
      }
    };
    const timer = setInterval(() => void look(), LOOK_EVERY_MS);
    return () => {
      wanted = false;
      clearInterval(timer);
    };
  }, [visit, looking]);
  useEffect(
    () => () => {
      if (shown !== null) {
        URL.revokeObjectURL(shown);
      }
    },
    [shown],
  );
  return (
    <div className="glass" data-step={looking ? (desk?.finger_step ?? "waiting_for_finger") : "idle"}>
      {shown !== null && <img src={shown} alt={t("fingerPreview")} />}
      <svg viewBox="0 0 100 100" aria-hidden="true">
        <path className="outline" d="M30 96V40a20 26 0 0 1 40 0v56" />
        {shown === null && (
          <path
            className="ridges"
            d="M36 88V42a14 19 0 0 1 28 0v46M42 88V44a8 12 0 0 1 16 0v44M48 88V46a2 4 0 0 1 4 0v42"
          />
        )}
      </svg>
    </div>
  );
}
