import { useEffect, useState } from "react";
import type { NetworkCheck } from "../../../../webrtc/web/network_check";
import type { LineCheck as Found } from "../../../../webrtc/web/wire";
import { useDoor } from "../door";
import { Icon } from "../Icons";
import { Button, Notice, Spinner } from "../parts";
import { useWords, type Words } from "../words";
import { verdictWords } from "../words/call";

/** Only what was measured; a figure that is not there is not made up. */
export function lineFigures(found: Found, { t }: Words): string {
  const parts = [
    found.round_trip_ms === null || found.round_trip_ms === undefined
      ? null
      : t("lineTrip", { ms: found.round_trip_ms }),
    found.loss_percent === null || found.loss_percent === undefined
      ? null
      : t("lineLoss", { percent: found.loss_percent }),
    // two digits downwards: a promise is not rounded up
    found.kbit_s ? t("lineRate", { rate: Math.floor(found.kbit_s / 10) / 100 }) : null,
    found.way === "relay" ? t("lineRelayed") : null,
  ];
  return parts.filter((part) => part !== null).join(" · ");
}

/** How good the way to the counter is, measured while the customer reads, before anybody waits for a clerk. */
export function LineCheck({ check }: { readonly check: NetworkCheck }) {
  const words = useWords();
  const { t } = words;
  const [, redraw] = useState(0);
  useEffect(() => check.subscribe(() => redraw((count) => count + 1)), [check]);
  const again = (
    <Button kind="quiet" onPress={() => check.run()}>
      {t("lineAgain")}
    </Button>
  );
  switch (check.state) {
    case "idle":
      return null;
    case "finding":
    case "measuring":
      return (
        <section className="line-check" aria-label={t("lineTitle")}>
          <p className="patience" role="status">
            <Spinner />
            <span>{t("lineFinding")}</span>
          </p>
        </section>
      );
    case "unavailable":
      return (
        <section className="line-check" aria-label={t("lineTitle")}>
          <Notice tone="info">
            <p role="status">{t("lineUnavailable")}</p>
            {again}
          </Notice>
        </section>
      );
    case "done":
      return (
        <section className="line-check" aria-label={t("lineTitle")} data-verdict={check.found?.verdict}>
          {check.found && <Verdict found={check.found} words={words} again={again} />}
        </section>
      );
  }
}

interface VerdictProps {
  readonly found: Found;
  readonly words: Words;
  readonly again: React.ReactNode;
}

function Verdict({ found, words, again }: VerdictProps) {
  const { t, say } = words;
  const phone = useDoor().channel === "phone";
  const figures = lineFigures(found, words);
  if (found.verdict === "good") {
    return (
      <p className="line-good" role="status">
        <Icon name="check" />
        <span>
          {t("colon", { name: t("lineTitle"), value: say(verdictWords.good) })}
          <span className="hint"> {figures}</span>
        </span>
      </p>
    );
  }
  return (
    <Notice tone={found.verdict === "coarse" ? "info" : "warn"} urgent={found.verdict === "not_now"}>
      <div role={found.verdict === "coarse" ? "status" : undefined}>
        <h2>
          {found.verdict === "coarse"
            ? say(verdictWords.coarse)
            : t(found.way === "none" ? "lineUnreachable" : "lineWeak")}
        </h2>
        {figures && <p className="hint">{figures}</p>}
        {found.verdict === "coarse" ? (
          <p>{t("lineCoarseHint")}</p>
        ) : (
          <>
            <p>{t(phone ? "lineHelpPhone" : "lineHelpKiosk")}</p>
            <p>{t("lineMayTry")}</p>
          </>
        )}
      </div>
      {again}
    </Notice>
  );
}
