import type { FaceView } from "../../../../webrtc/web/wire";
import { type ScreenProps, useDoor } from "../door";
import { OwnPicture } from "../Pictures";
import { Button, Notice, Patience, Problem, Progress, ScreenTitle } from "../parts";
import { useWords } from "../words";
import { guidanceWords, movementWords } from "../words/instructions";
import { DeviceHelp } from "./DeviceHelp";

/** One's own picture in an oval, and one instruction at a time. */
export function Face({ visit, view }: ScreenProps) {
  const { t, say } = useWords();
  const phone = useDoor().channel === "phone";
  const guidance = visit.guidance;
  const failed = view.face !== null && !visit.checking;
  const progress = guidance?.progress ?? 0;
  const instruction =
    guidance === null
      ? null
      : say(
          guidance.movement !== null && guidance.code === "move_now"
            ? movementWords[guidance.movement]
            : guidanceWords[guidance.code],
        );
  const colour = failed ? null : (guidance?.colour ?? null);
  return (
    <>
      <div className="screen-light" data-colour={colour ?? "none"} aria-hidden="true" />
      <div className="stage face-stage">
        <ScreenTitle>{t("faceTitle")}</ScreenTitle>
        <div className="mirror" data-code={guidance?.code ?? "none"}>
          <OwnPicture devices={visit.devices} label={t("facePreview")} />
          <svg viewBox="0 0 100 75" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
            <path className="shade" fillRule="evenodd" d="M0 0h100v75H0zM50 6a22 30.5 0 0 0 0 61 22 30.5 0 0 0 0-61z" />
            <ellipse className="oval" cx="50" cy="36.5" rx="22" ry="30.5" />
          </svg>
        </div>
      </div>
      <div className="deck face-deck" data-lit={colour !== null}>
        <DeviceHelp visit={visit} needs="camera" />
        {failed && view.face && !visit.devices.cameraTrouble ? (
          <FaceFailed face={view.face} onAgain={() => visit.startFace()} />
        ) : (
          <>
            {instruction === null ? (
              visit.devices.cameraTrouble === null && (
                <Patience>{t(visit.devices.stream === null ? "faceStarting" : "faceConnecting")}</Patience>
              )
            ) : (
              <p className="instruction" role="status">
                {instruction}
              </p>
            )}
            <Progress label={t("faceProgress")} value={progress} />
            <div className="actions">
              {guidance?.code === "move_now" && (
                <Button onPress={() => visit.askAnotherMovement()}>{t("faceAnotherMovement")}</Button>
              )}
              {colour !== null && <Button onPress={() => visit.stopColours()}>{t("faceNoColours")}</Button>}
            </div>
            {colour !== null && <p className="hint">{t("faceColours")}</p>}
          </>
        )}
        <Problem of={visit.trouble} />
        {phone && colour === null && <p className="hint">{t("faceNoComparison")}</p>}
      </div>
    </>
  );
}

function FaceFailed({ face, onAgain }: { readonly face: FaceView; readonly onAgain: () => void }) {
  const { t } = useWords();
  return (
    <Notice tone="warn" urgent>
      <h2>{t("faceFailedTitle")}</h2>
      <p>{t(face.live ? "faceFailedMatch" : "faceFailedLive")}</p>
      <p>{t("faceAttempts", { n: face.attempts_left })}</p>
      {face.attempts_left > 0 && (
        <Button kind="primary" onPress={onAgain}>
          {t("tryAgain")}
        </Button>
      )}
    </Notice>
  );
}
