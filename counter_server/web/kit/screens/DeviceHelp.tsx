import type { Trouble } from "../../../../webrtc/web/devices";
import { PermissionHelp } from "../DeviceCheck";
import { useDoor } from "../door";
import { Button, Notice } from "../parts";
import type { Visit } from "../visit";
import { useWords, type Word } from "../words";

const cameraTroubles: Record<Trouble, Word> = {
  refused: "cameraRefused",
  missing: "cameraMissing",
  busy: "cameraBusy",
  ended: "cameraEnded",
};
const microphoneTroubles: Record<Trouble, Word> = {
  refused: "microphoneRefused",
  missing: "microphoneMissing",
  busy: "microphoneBusy",
  ended: "microphoneEnded",
};

/** Camera or microphone did not come: why, and one button that asks again. */
export function DeviceHelp({ visit, needs }: { readonly visit: Visit; readonly needs: "camera" | "both" }) {
  const { t } = useWords();
  const phone = useDoor().channel === "phone"; // at a kiosk nobody may change the browser's permissions
  const camera = visit.devices.cameraTrouble;
  const microphone = needs === "both" ? visit.devices.microphoneTrouble : null;
  if (camera === null && microphone === null) {
    return null;
  }
  return (
    <Notice tone="warn" urgent>
      {camera !== null && (
        <>
          <h2>{t("cameraTitle")}</h2>
          <p>{t(cameraTroubles[camera])}</p>
        </>
      )}
      {microphone !== null && <p>{t(microphoneTroubles[microphone])}</p>}
      {phone && (camera === "refused" || microphone === "refused") && <PermissionHelp />}
      <Button
        kind="primary"
        onPress={() => {
          visit.devices.stop();
          void visit.startMedia();
        }}
      >
        {t("mediaAgain")}
      </Button>
    </Notice>
  );
}
