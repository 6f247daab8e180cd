/** Small pieces every screen is made of. */
import {
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { ErrorCode } from "../../../webrtc/web/wire";
import { RefusedError } from "./api";
import { Icon, type IconName } from "./Icons";
import { useWords } from "./words";
import { errorWords } from "./words/errors";

interface ButtonProps {
  readonly children: ReactNode;
  readonly onPress?: (() => void) | undefined;
  readonly kind?: "primary" | "plain" | "quiet" | "danger";
  readonly icon?: IconName;
  readonly disabled?: boolean;
  readonly submit?: boolean;
  readonly pressed?: boolean;
  readonly label?: string;
  readonly describedBy?: string;
}

/**
 * A button; `pressed` makes it a switch that says so to a screen reader.
 *
 * One that cannot be pressed now only says so: the browser's own `disabled` would take the focus from whoever pressed it,
 * for as long as the counter answers and for ever after, and would hide from a keyboard what may be pressed later.
 */
export function Button(props: ButtonProps) {
  const off = props.disabled ?? false;
  return (
    <button
      type={props.submit ? "submit" : "button"}
      className={`button ${props.kind ?? "plain"}`}
      aria-disabled={off}
      aria-pressed={props.pressed}
      aria-label={props.label}
      aria-describedby={props.describedBy}
      onClick={(event) => (off ? event.preventDefault() : props.onPress?.())}
    >
      {props.icon && <Icon name={props.icon} />}
      <span>{props.children}</span>
    </button>
  );
}

/** A heading that takes the focus when its screen appears, so that a screen reader says where one is. */
export function ScreenTitle({ children }: { readonly children: ReactNode }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // a new screen begins at its top, wherever the one before was left
    title.current?.closest("main")?.scrollTo(0, 0);
    document.scrollingElement?.scrollTo(0, 0); // on a phone it is the page that scrolls
    title.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={title} tabIndex={-1}>
      {children}
    </h1>
  );
}

/**
 * Takes the focus when what had it has gone from the page; without it a keyboard would begin again at the very top.
 *
 * Asked anew whenever `now` changes; the focus of somebody at work elsewhere is left alone.
 */
export function useLostFocus<E extends HTMLElement>(now: unknown): RefObject<E | null> {
  const place = useRef<E>(null);
  useEffect(() => {
    void now;
    if (document.activeElement === null || document.activeElement === document.body) {
      place.current?.focus({ preventScroll: true });
    }
  }, [now]);
  return place;
}

interface NoticeProps {
  readonly tone: "info" | "good" | "warn" | "bad";
  readonly children: ReactNode;
  /** Said at once by a screen reader; otherwise it is only there to be read. */
  readonly urgent?: boolean;
}

const toneIcons = { info: "info", good: "check", warn: "warning", bad: "warning" } as const;

export function Notice({ tone, children, urgent }: NoticeProps) {
  return (
    <div className={`notice ${tone}`} role={urgent ? "alert" : undefined}>
      <Icon name={toneIcons[tone]} />
      <div>{children}</div>
    </div>
  );
}

interface ProblemProps {
  readonly of: RefusedError | null;
  /** Words of this place where they say more than the code's own. */
  readonly here?: Partial<Record<ErrorCode, string>>;
}

/** What went wrong, in words, with what to do now. */
export function Problem({ of, here }: ProblemProps) {
  const { say } = useWords();
  const words = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (of !== null) {
      words.current?.scrollIntoView({ block: "nearest" }); // in large text it may be said below the fold
    }
  }, [of]);
  return of === null ? null : (
    <Notice tone="bad" urgent>
      <p ref={words}>{here?.[of.code] ?? say(errorWords[of.code])}</p>
    </Notice>
  );
}

export interface Action {
  readonly busy: boolean;
  readonly problem: RefusedError | null;
  /** Do it; a second press while it runs is ignored, so that nothing is sent twice. */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
  readonly forget: () => void;
}

/** One thing a person can do on this screen, with its state. */
export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<RefusedError | null>(null);
  const running = useRef(false);
  const run = useCallback(async (work: () => Promise<unknown>): Promise<boolean> => {
    if (running.current) {
      return false;
    }
    running.current = true;
    setBusy(true);
    setProblem(null);
    try {
      await work();
      return true;
    } catch (refusal) {
      if (!(refusal instanceof RefusedError)) {
        throw refusal;
      }
      setProblem(refusal);
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  }, []);
  const forget = useCallback(() => setProblem(null), []);
  return { busy, problem, run, forget };
}

interface SheetProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly onClose: () => void;
  readonly urgent?: boolean;
  readonly wide?: boolean;
}

/** A dialog above the page: the browser's own, which holds the focus and closes on Escape. */
export function Sheet({ title, children, onClose, urgent, wide }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // before the dialog leaves the page: only then does the browser give the focus back to who opened it
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={wide ? "sheet wide" : "sheet"}
      role={urgent ? "alertdialog" : undefined}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={heading}>{title}</h2>
      {children}
    </dialog>
  );
}

/** A bar with its name and value. */
export function Progress({ label, value }: { readonly label: string; readonly value: number }) {
  return <progress className="progress" aria-label={label} max={100} value={Math.round(value * 100)} />;
}

export function Spinner() {
  return <span className="spinner" aria-hidden="true" />;
}

interface PatienceProps {
  readonly children: ReactNode;
  /** Somebody else on the page says the same to those who hear it. */
  readonly unspoken?: boolean;
}

/** Waiting, said in words once. */
export function Patience({ children, unspoken }: PatienceProps) {
  return (
    <p className="patience" role={unspoken ? undefined : "status"}>
      <Spinner />
      <span>{children}</span>
    </p>
  );
}

/** Names and values, two columns. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Seconds as m:ss. */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Seconds counted on from what the counter said last. */
export function useCounting(from_s: number, running: boolean): number {
  const [shown, setShown] = useState(from_s);
  useEffect(() => {
    setShown(from_s);
    if (!running) {
      return;
    }
    const began = performance.now();
    const timer = setInterval(() => setShown(from_s + (performance.now() - began) / 1_000), 500);
    return () => clearInterval(timer);
  }, [from_s, running]);
  return shown;
}
