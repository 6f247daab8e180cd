import { type ScreenProps, useDoor } from "../door";
import { Icon } from "../Icons";
import { Button, Problem, ScreenTitle, useAction } from "../parts";
import { useWords } from "../words";
import { LineCheck } from "./LineCheck";

/** What will be recorded and compared, and that saying no is possible. */
export function Consent({ visit, view }: ScreenProps) {
  const { t, say } = useWords();
  const phone = useDoor().channel === "phone";
  const agree = useAction();
  return (
    <>
      <div className="stage">
        <p className="eyebrow">{say(view.service_title)}</p>
        <ScreenTitle>{t("consentTitle")}</ScreenTitle>
        <ul className="points">
          <li>
            <Icon name="camera" />
            <div>
              <h2>{t("consentRecordingTitle")}</h2>
              <p>{t("consentRecording")}</p>
            </div>
          </li>
          <li>
            <Icon name="face" />
            <div>
              <h2>{t("consentFaceTitle")}</h2>
              <p>{t(phone ? "consentFacePhone" : "consentFace")}</p>
            </div>
          </li>
          {view.asks_finger !== null && (
            <li>
              <Icon name="finger" />
              <div>
                <h2>{t("consentFingerTitle")}</h2>
                <p>{t(view.asks_finger === "enrol" ? "consentFingerEnrol" : "consentFinger")}</p>
              </div>
            </li>
          )}
          <li>
            <Icon name="person" />
            <div>
              <h2>{t("consentOtherTitle")}</h2>
              <p>{t("consentOther")}</p>
            </div>
          </li>
        </ul>
      </div>
      <div className="deck">
        {visit.lineCheck && <LineCheck check={visit.lineCheck} />}
        <Problem of={agree.problem} />
        <div className="actions">
          <Button kind="primary" disabled={agree.busy} onPress={() => void agree.run(() => visit.consent())}>
            {t("consentYes")}
          </Button>
          <Button disabled={agree.busy} onPress={() => void agree.run(() => visit.cancel())}>
            {t("consentNo")}
          </Button>
        </div>
      </div>
    </>
  );
}
