/** What is proven and by what: for the clerk who serves, and for the second person who approves. */
import type { CheckView, ClerkVisit, FaceView, FingerView, HolderView } from "../../../webrtc/web/wire";
import type { Api } from "../kit/api";
import { Icon, type IconName } from "../kit/Icons";
import { useStill } from "../kit/Pictures";
import { Facts } from "../kit/parts";
import { useFormFacts } from "../kit/screens/Form";
import { useWords, type Word } from "../kit/words";
import { checkName } from "../kit/words/checks";
import { fingerNames } from "../kit/words/instructions";
import { checkReason, faceReason } from "../kit/words/reasons";
import { outcomeWords } from "../kit/words/states";

const outcomeIcons = { passed: "check", failed: "cross", not_possible: "dash" } as const satisfies Record<
  CheckView["outcome"],
  IconName
>;

/** What needs a clerk's eyes stands first; within one outcome the order is the counter's. */
const outcomeRank: Readonly<Record<CheckView["outcome"], number>> = { failed: 0, not_possible: 1, passed: 2 };

/** Every check with its reason and clause; colour, sign and word say the same. */
export function Checks({ checks }: { readonly checks: readonly CheckView[] }) {
  const { t, say, language } = useWords();
  const count = (outcome: CheckView["outcome"]): number => checks.filter((check) => check.outcome === outcome).length;
  const sorted = checks.toSorted((one, other) => outcomeRank[one.outcome] - outcomeRank[other.outcome]);
  return (
    <section className="panel">
      <div className="panel-head">
        <h2>{t("checksTitle")}</h2>
        {checks.length > 0 && (
          <p className="hint">
            {t("checksSummary", { passed: count("passed"), failed: count("failed"), open: count("not_possible") })}
          </p>
        )}
      </div>
      {checks.length === 0 ? (
        <p className="hint">{t("checksNone")}</p>
      ) : (
        <ul className="checks">
          {sorted.map((check) => {
            const [reason, spoken] = checkReason(check.why, language);
            return (
              <li key={check.name} data-outcome={check.outcome} data-check={check.name}>
                <Icon name={outcomeIcons[check.outcome]} />
                <div>
                  <p className="check-name">
                    {t("colon", { name: checkName(check.name, language), value: say(outcomeWords[check.outcome]) })}
                  </p>
                  <p className="hint">
                    <span lang={spoken === "zh" ? "zh-CN" : "en"} data-reason-language={spoken}>
                      {reason}
                    </span>
                    {check.clause && (
                      <span className="clause" lang="en">
                        {" "}
                        [{check.clause}]
                      </span>
                    )}
                  </p>
                </div>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

const verdictWords: Record<FaceView["verdict"], Word> = {
  accept: "faceAccept",
  refer: "faceRefer",
  reject: "faceReject",
};

/** One in how many is the best that so many comparisons show by themselves: none false, 95 % sure (Clopper-Pearson). */
function oneInCountable(comparisons: number): number {
  return Math.max(1, Math.floor(1 / (1 - 0.05 ** (1 / comparisons))));
}

const whole = new Intl.NumberFormat("en-GB");

/** One in how many, two digits of it and downwards: a bound promises no more than it knows, and less is easier read. */
function oneIn(bound: number): number {
  const exact = Math.max(1, Math.floor(1 / bound));
  const step = 10 ** Math.max(0, Math.floor(Math.log10(exact)) - 1);
  return Math.floor(exact / step) * step;
}

/** How often somebody else would come as close, and whether that was counted or is a model's; never a bare distance. */
function ErrorRate({ face }: { readonly face: FaceView }) {
  const { t } = useWords();
  if (!face.compared || !face.fmr_upper || face.verdict === "reject") {
    return null;
  }
  const bound = oneIn(face.fmr_upper);
  if (bound === 1) {
    return <p>{t("faceBoundNothing")}</p>;
  }
  if (!face.comparisons) {
    return <p>{t("faceBoundNoCount", { n: whole.format(bound) })}</p>;
  }
  const countable = oneInCountable(face.comparisons);
  return (
    <p>
      {t(1 / face.fmr_upper > countable ? "faceBoundModelled" : "faceBound", {
        n: whole.format(bound),
        m: whole.format(face.comparisons),
        c: whole.format(countable),
      })}
    </p>
  );
}

/** The verdict with how often somebody else would get it. */
export function Face({ face }: { readonly face: FaceView | null }) {
  const { t, language } = useWords();
  // a missing portrait is already said by the sentence above the list
  const told = (face?.reasons ?? []).filter((reason) => face?.compared || reason !== "no_reference");
  return (
    <section className="panel">
      <h2>{t("faceTitleClerk")}</h2>
      {face === null ? (
        <p className="hint">{t("faceNone")}</p>
      ) : face.reasons.includes("document_tries") ? (
        <p className="verdict" data-verdict="refer">
          <Icon name="warning" />
          {t("faceNotBegun")}
        </p>
      ) : (
        <>
          {face.compared && (
            <p className="verdict" data-verdict={face.verdict}>
              <Icon name={face.verdict === "accept" ? "check" : face.verdict === "refer" ? "warning" : "cross"} />
              {t(verdictWords[face.verdict])}
            </p>
          )}
          <p className="verdict" data-verdict={face.live ? "accept" : "reject"}>
            <Icon name={face.live ? "check" : "cross"} />
            {t(face.live ? "faceLive" : "faceNotLive")}
          </p>
          <ErrorRate face={face} />
          {!face.compared && <p>{t("faceNotCompared")}</p>}
          {told.length > 0 && (
            <ul className="reasons">
              {told.map((reason) => (
                <li key={reason} className="hint">
                  {faceReason(reason, language)}
                </li>
              ))}
            </ul>
          )}
          {face.engine && <p className="hint">{t("faceEngine", { name: face.engine })}</p>}
        </>
      )}
    </section>
  );
}

const fingerWords: Record<FaceView["verdict"], Word> = {
  accept: "fingerAccept",
  refer: "fingerRefer",
  reject: "fingerReject",
};

interface FingerProps {
  readonly finger: FingerView | null;
  readonly checks: readonly CheckView[];
}

/** Why the finger decides nothing by itself: it does not fit, or the sensor took it for an imitation. */
const speaksAgainstFinger = (check: CheckView): boolean =>
  (check.name === "finger" && check.outcome !== "passed") ||
  (check.name === "finger_sensor" && check.outcome === "failed");

/** What the finger came to; nothing where none was asked for. */
export function Finger({ finger, checks }: FingerProps) {
  const { t, say, language } = useWords();
  if (finger === null || finger.task === "enrol") {
    return null;
  }
  const verdict = finger.verdict ?? "refer";
  const name = fingerNames[finger.position];
  const bound = finger.fmr_upper ? oneIn(finger.fmr_upper) : 1;
  return (
    <section className="panel">
      <h2>{t("fingerTitleClerk")}</h2>
      {finger.cannot ? (
        <>
          <p>{t("fingerNotGiven")}</p>
          {finger.taken > 0 && (
            <p className="verdict" data-verdict="refer">
              <Icon name="warning" />
              {t("fingerTriedBefore", { n: finger.taken })}
            </p>
          )}
        </>
      ) : (
        <>
          <p className="verdict" data-verdict={verdict}>
            <Icon name={verdict === "accept" ? "check" : verdict === "refer" ? "warning" : "cross"} />
            {name
              ? t("fingerVerdict", { finger: say(name), verdict: t(fingerWords[verdict]) })
              : t(fingerWords[verdict])}
          </p>
          {checks.filter(speaksAgainstFinger).map((check) => {
            const [reason, spoken] = checkReason(check.why, language);
            return (
              <p key={check.name} lang={spoken === "zh" ? "zh-CN" : "en"}>
                {reason}
              </p>
            );
          })}
          {finger.compared && bound > 1 && finger.comparisons !== null && (
            <p>{t("fingerBound", { n: whole.format(bound), m: whole.format(finger.comparisons) })}</p>
          )}
          {finger.compared && <p className="hint">{t("fingerNotAlive")}</p>}
          {finger.engine && <p className="hint">{t("faceEngine", { name: finger.engine })}</p>}
        </>
      )}
    </section>
  );
}

interface PortraitsProps {
  readonly api: Api;
  readonly visitId: string;
  readonly portrait: boolean;
  readonly live: boolean;
}

/** Chip portrait beside the picture taken live. */
export function Portraits({ api, visitId, portrait, live }: PortraitsProps) {
  const { t } = useWords();
  return (
    <section className="portraits">
      <Still
        api={api}
        path={portrait ? `/api/console/visits/${visitId}/portrait.jpg` : null}
        name={t("portrait")}
        none={t("noPortrait")}
      />
      <Still
        api={api}
        path={live ? `/api/console/visits/${visitId}/live.jpg` : null}
        name={t("livePicture")}
        none={t("noLive")}
      />
    </section>
  );
}

interface StillProps {
  readonly api: Api;
  readonly path: string | null;
  readonly name: string;
  readonly none: string;
}

function Still({ api, path, name, none }: StillProps) {
  const still = useStill(api, path);
  return (
    <figure>
      {still.url === null ? <p className="no-picture">{none}</p> : <img src={still.url} alt={name} />}
      <figcaption>{name}</figcaption>
    </figure>
  );
}

/** As the zone writes it (Doc 9303-5 §4.2.2.2); the counter says X for its filler. */
const sexWords: Readonly<Record<string, Word>> = { F: "sexFemale", M: "sexMale" };

/** DG1 in words. */
export function Holder({ holder }: { readonly holder: HolderView }) {
  const { t } = useWords();
  return (
    <section className="panel">
      <h2>{t("holderTitle")}</h2>
      <Facts
        rows={[
          [t("holderName"), holder.name],
          [t("holderNumber"), holder.document_number],
          [t("holderBirth"), holder.date_of_birth ?? t("holderUnknown")],
          [t("holderExpiry"), holder.date_of_expiry],
          [t("holderState"), holder.issuing_state],
          [t("holderNationality"), holder.nationality],
          [t("holderSex"), t(sexWords[holder.sex] ?? "sexUnspecified")],
        ]}
      />
    </section>
  );
}

/** What the customer typed. */
export function Entered({ form, values }: Pick<ClerkVisit, "form" | "values">) {
  const { t } = useWords();
  const facts = useFormFacts(form, values);
  return (
    <section className="panel">
      <h2>{t("formValues")}</h2>
      <Facts rows={facts} />
    </section>
  );
}
