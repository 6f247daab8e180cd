/** Being recognised by one's own phone: asked at the beginning, offered at the end. Declining costs nothing. */
import { useState } from "react";
import type { ScreenProps } from "../kit/door";
import { Icon } from "../kit/Icons";
import { Button, Notice, ScreenTitle, useAction } from "../kit/parts";
import { passkeysWork } from "../kit/passkeys";
import { useWords } from "../kit/words";
import { keepKey, removeKey, showKey } from "./phoneKeys";

interface AskedFirstProps {
  readonly asked: boolean;
  readonly onAsk: () => void;
}

/** Among the services: for whoever was here before, in a browser that no longer remembers. */
export function AskedFirst({ asked, onAsk }: AskedFirstProps) {
  const { t } = useWords();
  if (!passkeysWork()) {
    return null;
  }
  return asked ? (
    <Notice tone="info">
      <p>{t("phoneKeyFirst")}</p>
    </Notice>
  ) : (
    <Button kind="quiet" icon="phone" onPress={onAsk}>
      {t("phoneKeyWas")}
    </Button>
  );
}

interface ShowKeyProps {
  readonly visit: ScreenProps["visit"];
  readonly onWithout: () => void;
}

/** Before everything else in a visit. */
export function ShowKey({ visit, onWithout }: ShowKeyProps) {
  const { t } = useWords();
  const showing = useAction();
  const over = showing.problem?.code === "too_many_tries";
  return (
    <div className="screen">
      <div className="stage">
        <ScreenTitle>{t("phoneKeyShowTitle")}</ScreenTitle>
        <p className="lead">{t("phoneKeyShowText")}</p>
        <p className="hint">{t("phoneKeyLearn")}</p>
      </div>
      <div className="deck">
        {showing.problem !== null && (
          <Notice tone="warn" urgent>
            <p>{t(over ? "phoneKeyTries" : "phoneKeyNot")}</p>
          </Notice>
        )}
        <div className="actions">
          {!over && (
            <Button
              kind="primary"
              icon="phone"
              disabled={showing.busy}
              onPress={() => void showing.run(() => showKey(visit))}
            >
              {t("phoneKeyShow")}
            </Button>
          )}
          <Button kind={over ? "primary" : "plain"} disabled={showing.busy} onPress={onWithout}>
            {t("phoneKeyWithout")}
          </Button>
        </div>
      </div>
    </div>
  );
}

/** What being recognised has changed. */
export function Recognised({ view }: Pick<ScreenProps, "view">) {
  const { t } = useWords();
  return (
    <div className="phone-key-known">
      <Notice tone="good">
        <p role="status">{t(view.route === "self_service" ? "phoneKeyKnownAlone" : "phoneKeyKnown")}</p>
      </Notice>
    </div>
  );
}

/** After the visit: an offer, or the way back from it. */
export function KeepKey({ visit, view }: ScreenProps) {
  const { t } = useWords();
  const [answer, setAnswer] = useState<"none" | "declined" | "removed">("none");
  const action = useAction();
  if (answer === "removed") {
    return (
      <Notice tone="info">
        <p role="status">{t("phoneKeyRemoved")}</p>
        <p>{t("phoneKeyRemovedToo")}</p>
      </Notice>
    );
  }
  const remove = (): void => {
    void action.run(() => removeKey(visit)).then((done) => done && setAnswer("removed"));
  };
  if (view.phone_key === "kept") {
    return (
      <section className="sheet-card phone-key" aria-label={t("phoneKeyKept")}>
        <p role="status" className="phone-key-kept">
          <Icon name="check" />
          <span>{t("phoneKeyKept")}</span>
        </p>
        <Button kind="quiet" disabled={action.busy} onPress={remove}>
          {t("phoneKeyRemove")}
        </Button>
      </section>
    );
  }
  if (view.phone_key !== "offered" || answer === "declined" || !passkeysWork()) {
    return null;
  }
  return (
    <section className="sheet-card phone-key" aria-label={t("phoneKeyOfferTitle")}>
      <h2>{t("phoneKeyOfferTitle")}</h2>
      <p>{t("phoneKeyOfferText")}</p>
      {action.problem !== null && (
        <Notice tone="warn" urgent>
          <p>{t("phoneKeyNotKept")}</p>
        </Notice>
      )}
      <div className="actions">
        <Button icon="phone" disabled={action.busy} onPress={() => void action.run(() => keepKey(visit))}>
          {t("phoneKeyKeep")}
        </Button>
        <Button kind="quiet" disabled={action.busy} onPress={() => setAnswer("declined")}>
          {t("phoneKeyDecline")}
        </Button>
      </div>
    </section>
  );
}
