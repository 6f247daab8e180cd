import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { DocumentView } from "../../../../webrtc/web/wire";
import type { ScreenProps } from "../door";
import { useStill } from "../Pictures";
import { Button, Notice, Patience, Problem, ScreenTitle, useAction } from "../parts";
import { SignaturePad } from "../signature";
import type { Visit } from "../visit";
import { useWords } from "../words";

/** The document page by page; after the last unseen page, the signature. */
export function Reading({ visit, view }: ScreenProps) {
  const document = view.document;
  const { t } = useWords();
  if (document === null) {
    return <ScreenTitle>{t("busy")}</ScreenTitle>;
  }
  // a replaced document begins at its first page, with an empty pad
  return <Paper key={document.sha256} visit={visit} document={document} />;
}

function Paper({ visit, document }: { readonly visit: Visit; readonly document: DocumentView }) {
  const { t, say } = useWords();
  const [page, setPage] = useState(1);
  const [signing, setSigning] = useState(false);
  const [larger, setLarger] = useState(false);
  const all = document.pages;
  const seen = document.seen_pages.length;
  const complete = seen >= all;
  return (
    <>
      <p className="eyebrow">{say(document.title)}</p>
      <ScreenTitle>{t("readingTitle")}</ScreenTitle>
      <div className="paper" hidden={signing}>
        <PaperPage key={page} visit={visit} document={document} page={page} larger={larger} />
        <nav className="pager" aria-label={t("readingPage", { n: page, all })}>
          <Button icon="back" disabled={page === 1} onPress={() => setPage(page - 1)}>
            {t("readingPrevious")}
          </Button>
          <p role="status">{t("readingPage", { n: page, all })}</p>
          <Button
            icon="next"
            kind={page < all ? "primary" : "plain"}
            disabled={page === all}
            onPress={() => setPage(page + 1)}
          >
            {t("readingNext")}
          </Button>
        </nav>
        <p className="hint" id="reading-rule">
          {complete ? t("readingSeen", { n: seen, all }) : `${t("readingAll")} · ${t("readingSeen", { n: seen, all })}`}
        </p>
        <div className="actions">
          <Button
            kind="primary"
            icon="sign"
            disabled={!complete}
            describedBy="reading-rule"
            onPress={() => setSigning(true)}
          >
            {t("readingToSign")}
          </Button>
          <Button icon="letters" pressed={larger} onPress={() => setLarger(!larger)}>
            {t("readingLarger")}
          </Button>
        </div>
      </div>
      {signing && <Signing visit={visit} document={document} onBack={() => setSigning(false)} />}
    </>
  );
}

interface PaperPageProps {
  readonly visit: Visit;
  readonly document: DocumentView;
  readonly page: number;
  readonly larger: boolean;
}

/** One page as a picture; told to the counter once it really was on the screen. */
function PaperPage({ visit, document, page, larger }: PaperPageProps) {
  const { t, say } = useWords();
  const still = useStill(visit.api, visit.documentPage(page));
  const telling = useAction();
  const told = document.seen_pages.includes(page);
  const tell = telling.run;
  const shown = (): void => {
    if (!told) {
      void tell(() => visit.sawPage({ document_sha256: document.sha256, page }));
    }
  };
  return (
    <div className="paper-page" data-larger={larger}>
      {still.state === "loading" && <Patience>{t("loading")}</Patience>}
      {(still.state === "failed" || still.state === "none") && (
        <Notice tone="warn" urgent>
          <p>{t("readingFailed")}</p>
        </Notice>
      )}
      {still.url !== null && (
        <img
          src={still.url}
          alt={`${say(document.title)}, ${t("readingPage", { n: page, all: document.pages })}`}
          onLoad={shown}
        />
      )}
      <Problem of={telling.problem} />
    </div>
  );
}

const noStrokes = (): number => 0;

interface SigningProps {
  readonly visit: Visit;
  readonly document: DocumentView;
  readonly onBack: () => void;
}

/** The pad, with undo, clear, and a way for those who cannot write. */
function Signing({ visit, document, onBack }: SigningProps) {
  const { t } = useWords();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [pad, setPad] = useState<SignaturePad | null>(null);
  const [cannot, setCannot] = useState(false);
  const sending = useAction();
  useEffect(() => {
    if (canvas.current === null) {
      return;
    }
    const made = new SignaturePad(canvas.current);
    setPad(made);
    canvas.current.scrollIntoView({ block: "center" });
    return () => made.close();
  }, []);
  const strokes = useSyncExternalStore(pad?.subscribe ?? neverChanges, pad ? () => pad.strokes.length : noStrokes);
  const send = (): void => {
    if (pad !== null) {
      void sending.run(() =>
        visit.sign({
          document_sha256: document.sha256,
          strokes: pad.strokes.map((stroke) => [...stroke]),
          pad_ratio: pad.ratio,
        }),
      );
    }
  };
  return (
    <section className="signing" aria-labelledby="sign-title">
      <h2 id="sign-title">{t("signTitle")}</h2>
      <div className="pad">
        <canvas ref={canvas} role="img" aria-label={t("signPad")} aria-describedby="sign-count" />
        <span className="pad-line" aria-hidden="true" />
        {strokes === 0 && (
          <span className="pad-how" aria-hidden="true">
            {t("signPadHow")}
          </span>
        )}
      </div>
      <p className="hint" id="sign-count" role="status">
        {t("signStrokes", { n: strokes })}
      </p>
      <Problem of={sending.problem} />
      <div className="actions">
        <Button kind="primary" icon="sign" disabled={strokes === 0 || sending.busy} onPress={send}>
          {t(sending.busy ? "busy" : "signSend")}
        </Button>
        <Button disabled={strokes === 0} onPress={() => pad?.undo()}>
          {t("signUndo")}
        </Button>
        <Button disabled={strokes === 0} onPress={() => pad?.clear()}>
          {t("signClear")}
        </Button>
      </div>
      <div className="actions">
        <Button kind="quiet" icon="back" onPress={onBack}>
          {t("readingToDocument")}
        </Button>
        <Button kind="quiet" icon="person" pressed={cannot} onPress={() => setCannot(!cannot)}>
          {t("signCannot")}
        </Button>
      </div>
      {cannot && (
        <div ref={intoSight}>
          <Notice tone="info">
            <p>{t("signCannotText")}</p>
            <Button onPress={() => pad?.placeMark()}>{t("signMark")}</Button>
          </Notice>
        </div>
      )}
    </section>
  );
}

/** Opened below the fold of a small screen, it would look as if nothing had happened. */
const intoSight = (opened: HTMLElement | null): void => opened?.scrollIntoView({ block: "nearest" });

const neverChanges = (): (() => void) => () => undefined;
