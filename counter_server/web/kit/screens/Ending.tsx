import type { ReactNode } from "react";
import type { VisitState } from "../../../../webrtc/web/wire";
import { type ScreenProps, useDoor } from "../door";
import { Icon } from "../Icons";
import { useStill } from "../Pictures";
import { Button, Facts, Notice, Patience, ScreenTitle } from "../parts";
import { useWords, type Word } from "../words";
import { reasonWords } from "../words/errors";

const waits = {
  countersigning: ["waitClerkTitle", "waitClerkText"],
  approving: ["waitApproveTitle", "waitApproveText"],
  sealing: ["sealingTitle", "sealingText"],
} as const satisfies Partial<Record<VisitState, readonly [Word, Word]>>;

/** Others are at work; nothing to do but to know it. */
export function Wait({ state }: { readonly state: keyof typeof waits }) {
  const { t } = useWords();
  const [title, text] = waits[state];
  return (
    <>
      <ScreenTitle>{t(title)}</ScreenTitle>
      <Patience>{t(text)}</Patience>
    </>
  );
}

interface EndingProps extends ScreenProps {
  readonly onFinish: () => void;
}

interface DoneProps extends EndingProps {
  readonly children?: ReactNode;
}

/** Number and code to take home. */
export function Done({ visit, view, onFinish, children }: DoneProps) {
  const { t, say, language } = useWords();
  const kiosk = useDoor().channel === "kiosk";
  const receipt = view.receipt;
  const picture = useStill(visit.api, receipt === null ? null : visit.receiptPicture());
  return (
    <>
      <div className="stage">
        <div className="stamp" aria-hidden="true">
          <Icon name="seal" />
        </div>
        <ScreenTitle>{t("doneTitle")}</ScreenTitle>
        <p className="lead">{say(view.service_title)}</p>
        {receipt !== null && (
          <section className="receipt" aria-label={t("doneRecord")}>
            <p className="receipt-name">{t("doneRecord")}</p>
            <p className="receipt-number" data-receipt="record">
              {receipt.record_id}
            </p>
            <p className="receipt-name">{t("doneCode")}</p>
            <p className="receipt-code" data-receipt="code">
              {receipt.check_code}
            </p>
            {picture.url !== null && <img className="receipt-qr" src={picture.url} alt={t("doneQr")} />}
            <Facts
              rows={[
                [t("doneAt"), new Date(receipt.sealed_at).toLocaleString(language === "zh" ? "zh-CN" : "en-GB")],
                [
                  t("doneWhere"),
                  <span key="where" className="address">
                    {receipt.check_url}
                  </span>,
                ],
                [
                  t("doneLog"),
                  receipt.proof === null ? t("doneLogSoon") : t("doneLogAt", { entry: entryOf(receipt.proof) }),
                ],
              ]}
            />
          </section>
        )}
        <p>{t("doneText")}</p>
        {kiosk && (
          <Notice tone="info">
            <p>{t("doneTake")}</p>
          </Notice>
        )}
        {children}
      </div>
      <div className="deck">
        <div className="actions">
          <Button kind="primary" onPress={onFinish}>
            {t("doneFinish")}
          </Button>
        </div>
      </div>
    </>
  );
}

/** Number of the log's entry that a proof (C2SP tlog-proof) leads from, counted from one as on the check page. */
function entryOf(proof: string): string {
  return String(Number(/^index (\d+)$/m.exec(proof)?.[1]) + 1);
}

/** Title, what now at a kiosk, what now on a phone: there a new visit needs a new link. */
const endings = {
  refused: ["refusedTitle", "refusedNow", "refusedNowPhone"],
  interrupted: ["interruptedTitle", "interruptedNow", "interruptedNowPhone"],
  cancelled: ["cancelledTitle", "cancelledNow", "cancelledNow"],
} as const satisfies Partial<Record<VisitState, readonly [Word, Word, Word]>>;

interface NotDoneProps extends EndingProps {
  readonly state: keyof typeof endings;
}

/** What happened, and what now. */
export function NotDone({ view, state, onFinish }: NotDoneProps) {
  const { t, say } = useWords();
  const phone = useDoor().channel === "phone";
  const [title, atKiosk, onPhone] = endings[state];
  return (
    <>
      <div className="stage">
        <p className="eyebrow">{say(view.service_title)}</p>
        <ScreenTitle>{t(title)}</ScreenTitle>
        {view.reason && (
          <p className="lead" data-reason={view.reason}>
            {say(reasonWords[view.reason])}
          </p>
        )}
        {view.note && (
          <section className="sheet-card" aria-label={t("noteFromClerk")}>
            <h2>{t("noteFromClerk")}</h2>
            <p>{view.note}</p>
          </section>
        )}
        <section aria-label={t("endedNow")}>
          <h2>{t("endedNow")}</h2>
          <p>{t(phone ? onPhone : atKiosk)}</p>
        </section>
      </div>
      <div className="deck">
        <div className="actions">
          <Button kind="primary" onPress={onFinish}>
            {t(phone ? "doneFinish" : "startAgain")}
          </Button>
        </div>
      </div>
    </>
  );
}
