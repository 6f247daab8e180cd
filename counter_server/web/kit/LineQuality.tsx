/** How a running call's line is: one word, and the figures behind it for whoever wants them. */
import { useEffect, useState } from "react";
import type { Call } from "../../../webrtc/web/call";
import { type LineFigures, type LineWord, Statistics } from "../../../webrtc/web/statistics";
import { useDoor } from "./door";
import { useWords, type Words } from "./words";
import { lineQualityWords } from "./words/call";

interface Seen {
  readonly word: LineWord | null;
  readonly figures: LineFigures | null;
}

function useStatistics(call: Call | null): Seen {
  const [seen, setSeen] = useState<Seen>({ word: null, figures: null });
  useEffect(() => {
    if (call === null) {
      return;
    }
    const statistics = new Statistics(call);
    const stop = statistics.subscribe(() => setSeen({ word: statistics.word, figures: statistics.figures }));
    statistics.start();
    return () => {
      stop();
      statistics.stop();
      setSeen({ word: null, figures: null });
    };
  }, [call]);
  return seen;
}

function figuresText(figures: LineFigures, { t }: Words): string {
  const { sent, received } = figures;
  const loss = Math.max(sent.loss_percent ?? 0, received.loss_percent ?? 0);
  return [
    t("lineReceived", { rate: (received.kbit_s / 1_000).toFixed(1) }),
    t("lineSent", { rate: (sent.kbit_s / 1_000).toFixed(1) }),
    figures.round_trip_ms === null ? null : t("lineTrip", { ms: figures.round_trip_ms }),
    t("lineLoss", { percent: loss.toFixed(1) }),
    t("lineFrames", { n: Math.round(received.frames_per_s) }),
    received.width_px > 0 ? `${received.width_px} × ${received.height_px}` : null,
    figures.freezes > 0 ? t("lineFreezes", { n: figures.freezes }) : null,
    figures.way === "relay" ? t("lineRelayed") : null,
  ]
    .filter((part) => part !== null)
    .join(" · ");
}

/** For the clerk, always there. Only the word is spoken, and only when it changes; figures change every second. */
export function LineQuality({ call, name }: { readonly call: Call | null; readonly name: string }) {
  const words = useWords();
  const { t, say } = words;
  const { word, figures } = useStatistics(call);
  if (figures === null) {
    return null;
  }
  return (
    <div className="line-quality" data-word={word ?? "unknown"}>
      <p role="status">{word === null ? "" : t("colon", { name, value: say(lineQualityWords[word]) })}</p>
      <p className="hint figures">{figuresText(figures, words)}</p>
    </div>
  );
}

/** For the customer, only while there is something to know and to do. */
export function BadLine({ call }: { readonly call: Call | null }) {
  const { t } = useWords();
  const phone = useDoor().channel === "phone";
  const { word } = useStatistics(call);
  return (
    <p className="bad-line" role="status" data-word={word ?? "unknown"}>
      {word === "bad" ? t(phone ? "lineBadNow" : "lineBadNowKiosk") : ""}
    </p>
  );
}
