/** Recorded visits for auditors and supervisors: a list, the reason why one looks, and both sides on one time line. */
import { type FormEvent, useEffect, useId, useRef, useState, useSyncExternalStore } from "react";
import { Playback } from "../../../webrtc/web/playback";
import type { MeasuredLine, RecordedSide, RecordedVisit, RecordedVisits, ViewingView } from "../../../webrtc/web/wire";
import type { Api } from "../kit/api";
import { Button, clockTime, Facts, Notice, Problem, ScreenTitle, useAction } from "../kit/parts";
import { useWords, type Word } from "../kit/words";

export const MAY_WATCH = ["auditor", "supervisor"] as const;
const STEP_MS = 10_000;

const sideWords: Readonly<Record<string, Word>> = {
  customer: "sideCustomer",
  clerk: "sideClerk",
  supervisor: "sideSupervisor",
  interpreter: "sideInterpreter",
  colleague: "sideColleague",
  shown: "sideShown",
};

export function Recordings({ api, onClose }: { readonly api: Api; readonly onClose: () => void }) {
  const { t } = useWords();
  const [rows, setRows] = useState<readonly RecordedVisit[] | null>(null);
  const [chosen, setChosen] = useState<RecordedVisit | null>(null);
  const [viewing, setViewing] = useState<ViewingView | null>(null);
  const loading = useAction();
  const { run } = loading;
  useEffect(() => {
    void run(async () => setRows((await api.get<RecordedVisits>("/api/console/recordings")).records));
  }, [api, run]);
  return (
    <section className="recordings" aria-label={t("recordingsTitle")}>
      <div className="desk-head">
        <ScreenTitle>{t("recordingsTitle")}</ScreenTitle>
        <Button onPress={onClose}>{t("recordingsClose")}</Button>
      </div>
      <Problem of={loading.problem} />
      {viewing !== null ? (
        <Player key={viewing.viewing_id} api={api} viewing={viewing} onBack={() => setViewing(null)} />
      ) : chosen !== null ? (
        <Reason api={api} row={chosen} onBack={() => setChosen(null)} onOpen={setViewing} />
      ) : (
        <List rows={rows} onChoose={setChosen} />
      )}
    </section>
  );
}

interface ListProps {
  readonly rows: readonly RecordedVisit[] | null;
  readonly onChoose: (row: RecordedVisit) => void;
}

function List({ rows, onChoose }: ListProps) {
  const { t, say, language } = useWords();
  const moment = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", {
    dateStyle: "medium",
    timeStyle: "short",
  });
  if (rows === null) {
    return null;
  }
  return rows.length === 0 ? (
    <p className="hint">{t("recordingsEmpty")}</p>
  ) : (
    <ul className="tickets">
      {rows.map((row) => (
        <li key={row.record_id} className="ticket-row">
          <div className="ticket-row-words">
            <p>{say(row.service_title)}</p>
            <p className="hint">
              {row.record_id} · {moment.format(new Date(row.sealed_at))}
            </p>
          </div>
          <Button label={t("recordingOpen", { record: row.record_id })} onPress={() => onChoose(row)}>
            {t("recordingWatch")}
          </Button>
        </li>
      ))}
    </ul>
  );
}

interface ReasonProps {
  readonly api: Api;
  readonly row: RecordedVisit;
  readonly onBack: () => void;
  readonly onOpen: (viewing: ViewingView) => void;
}

/** Before anything is opened: why. It is noted for ever, together with who and when. */
function Reason({ api, row, onBack, onOpen }: ReasonProps) {
  const { t } = useWords();
  const id = useId();
  const [reason, setReason] = useState("");
  const opening = useAction();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void opening.run(async () =>
      onOpen(await api.post<ViewingView>(`/api/console/recordings/${row.record_id}/viewings`, { reason })),
    );
  };
  return (
    <form className="panel act" onSubmit={submit} aria-label={t("recordingOpen", { record: row.record_id })}>
      <p>{t("recordingOpen", { record: row.record_id })}</p>
      <div className="field">
        <label htmlFor={id}>{t("recordingReason")}</label>
        <p className="hint" id={`${id}-hint`}>
          {t("recordingReasonHint")}
        </p>
        <input
          id={id}
          aria-describedby={`${id}-hint`}
          required
          minLength={8}
          maxLength={400}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </div>
      <Problem of={opening.problem} />
      <div className="actions">
        <Button kind="primary" submit disabled={opening.busy || reason.trim().length < 8}>
          {t("recordingBegin")}
        </Button>
        <Button onPress={onBack}>{t("cancel")}</Button>
      </div>
    </form>
  );
}

interface PlayerProps {
  readonly api: Api;
  readonly viewing: ViewingView;
  readonly onBack: () => void;
}

function Player({ api, viewing, onBack }: PlayerProps) {
  const { t } = useWords();
  const [playback] = useState(
    () =>
      new Playback(viewing, (number, offset, size) =>
        api.bytes(`/api/console/viewings/${viewing.viewing_id}/${number}.mkv`, offset, size),
      ),
  );
  useEffect(() => () => playback.close(), [playback]);
  const position = useSyncExternalStore(playback.subscribe, playback.position);
  const now = clockTime(Math.floor(position / 1000));
  const all = clockTime(Math.ceil(viewing.duration_ms / 1000));
  return (
    <div className="playback" data-playing={playback.playing} data-position={Math.round(position)}>
      {viewing.tracks.length === 0 && <p className="hint">{t("recordingNone")}</p>}
      <div className="playback-pictures">
        {viewing.tracks.map((side) => (
          <Side key={side.number} playback={playback} side={side} />
        ))}
      </div>
      <div className="playback-bar">
        <Button kind="primary" onPress={() => (playback.playing ? playback.pause() : playback.play())}>
          {t(playback.playing ? "playbackPause" : "playbackPlay")}
        </Button>
        <Button label={t("playbackBack")} onPress={() => playback.seek(position - STEP_MS)}>
          −10 s
        </Button>
        <Button label={t("playbackOn")} onPress={() => playback.seek(position + STEP_MS)}>
          +10 s
        </Button>
        <input
          type="range"
          aria-label={t("playbackPosition")}
          aria-valuetext={t("playbackAt", { now, all })}
          min={0}
          max={viewing.duration_ms}
          step={1000}
          value={position}
          onChange={(event) => playback.seek(Number(event.target.value))}
        />
        <p className="playback-time">{t("playbackAt", { now, all })}</p>
      </div>
      <p className="spoken" role="status">
        {t(playback.playing ? (playback.waiting ? "playbackWaiting" : "playbackPlaying") : "playbackPaused")}
      </p>
      <p className="hint">{t("recordingNoted", { record: viewing.record_id })}</p>
      <div className="actions">
        <Button onPress={onBack}>{t("recordingsBack")}</Button>
      </div>
    </div>
  );
}

type Say = ReturnType<typeof useWords>["t"];

/** What never came of all that was sent, in words. */
function loss(line: MeasuredLine, t: Say): string {
  const share = (lost: number, packets: number): number => (100 * lost) / Math.max(lost + packets, 1);
  const sum = (of: (minute: MeasuredLine["minutes"][number]) => number): number =>
    line.minutes.reduce((total, minute) => total + of(minute), 0);
  const lost = sum((minute) => minute.lost);
  const repaired = sum((minute) => minute.repaired);
  if (lost + repaired === 0) {
    return t("recordingLossNone");
  }
  const percent = share(
    lost,
    sum((minute) => minute.packets),
  ).toFixed(2);
  const shares = line.minutes.map((minute) => share(minute.lost, minute.packets));
  const worst = Math.max(...shares);
  const total = t("recordingLossTotal", { lost: String(lost), percent, repaired: String(repaired) });
  return worst > 0 && shares.length > 1
    ? `${total} ${t("recordingLossMinute", { minute: String(shares.indexOf(worst) + 1), percent: worst.toFixed(2) })}`
    : total;
}

/** Whether lips and voice are together, in words. */
function skew(line: MeasuredLine, t: Say): string {
  const { skew_mean_ms: mean, skew_worst_ms: worst } = line;
  if (mean === null || worst === null) {
    return t("recordingUnknown");
  }
  const figures = { mean: Math.abs(mean).toFixed(0), worst: Math.abs(worst).toFixed(0) };
  return t(mean >= 0 ? "recordingSkewLate" : "recordingSkewEarly", figures);
}

/** The rows of what was measured on the line. */
function measured(line: MeasuredLine, seconds: (ms: number) => string, t: Say): [string, string][] {
  const sizes = line.sizes.map(({ at_ms, width, height }) =>
    t("recordingSizeFrom", { at: seconds(at_ms), width: String(width), height: String(height) }),
  );
  return [
    [t("recordingSize"), sizes.length > 0 ? sizes.join(" ") : t("recordingUnknown")],
    [t("recordingLoss"), loss(line, t)],
    [t("recordingSkew"), skew(line, t)],
  ];
}

function Side({ playback, side }: { readonly playback: Playback; readonly side: RecordedSide }) {
  const { t } = useWords();
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => (video.current === null ? undefined : playback.show(side, video.current)), [playback, side]);
  const name = t(sideWords[side.side] ?? "sideOther");
  const seconds = (ms: number): string => clockTime(Math.round(ms / 1000));
  return (
    <section className="playback-side" aria-label={name} data-side={side.side}>
      <h2>{name}</h2>
      <div className="call-pictures">
        {/* biome-ignore lint/a11y/useMediaCaption: nobody has written down what was said in this call */}
        <video ref={video} playsInline aria-label={name} />
        {playback.broken(side.number) ? (
          <p className="call-lost">{t("playbackBroken")}</p>
        ) : (
          playback.blank(side.number) && <p className="call-lost">{t("playbackBlank")}</p>
        )}
      </div>
      <Facts
        rows={[
          [t("recordingLength"), seconds(side.duration_ms)],
          [t("recordingRate"), side.frames_per_s > 0 ? side.frames_per_s.toFixed(1) : t("recordingUnknown")],
          [
            t("recordingGaps"),
            side.gaps.length === 0
              ? t("recordingNoGaps")
              : side.gaps
                  .map((gap) =>
                    t("recordingGap", { at: seconds(gap.start_ms), s: (gap.duration_ms / 1000).toFixed(1) }),
                  )
                  .join(" "),
          ],
          ...(side.line === null ? [] : measured(side.line, seconds, t)),
        ]}
      />
      {!side.complete && (
        <Notice tone="warn">
          <p>{t("recordingIncomplete")}</p>
        </Notice>
      )}
    </section>
  );
}
