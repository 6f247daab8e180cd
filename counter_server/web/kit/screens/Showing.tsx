import { useSyncExternalStore } from "react";
import { SecondPicture } from "../../../../webrtc/web/second_picture";
import { useDoor } from "../door";
import { OwnPicture } from "../Pictures";
import { Button, Notice } from "../parts";
import type { Visit } from "../visit";
import { useWords } from "../words";

/** A second picture of the customer: papers under another camera, or the screen. Nothing is shown unasked. */
export function Showing({ visit }: { readonly visit: Visit }) {
  const { t } = useWords();
  const second = visit.second;
  useSyncExternalStore(second.subscribe, () => `${second.what} ${second.trouble}`);
  const phone = useDoor().channel === "phone";
  const cameras = visit.devices.list("camera").length;
  if (second.what !== null) {
    return (
      <section className="showing" aria-label={t("showingTitle")}>
        <div className="call-pictures showing-own">
          <OwnPicture devices={second} label={t("showingOwn")} />
        </div>
        <p role="status">{t(second.what === "screen" ? "showingScreen" : "showingPapers")}</p>
        <Button icon="cross" onPress={() => visit.stopShowing()}>
          {t("showingStop")}
        </Button>
      </section>
    );
  }
  const mayShareScreen = phone && SecondPicture.canShareScreen; // a kiosk's screen belongs to nobody
  if (cameras < 2 && !mayShareScreen) {
    return null;
  }
  return (
    <section className="showing" aria-label={t("showingTitle")}>
      {second.trouble !== null && (
        <Notice tone="warn" urgent>
          <p>{t(second.trouble === "refused" ? "showingRefused" : "showingFailed")}</p>
        </Notice>
      )}
      <div className="actions">
        {cameras > 1 && (
          <Button icon="paper" onPress={() => void visit.show("document")}>
            {t("showPapers")}
          </Button>
        )}
        {mayShareScreen && <Button onPress={() => void visit.show("screen")}>{t("showScreen")}</Button>}
      </div>
    </section>
  );
}
