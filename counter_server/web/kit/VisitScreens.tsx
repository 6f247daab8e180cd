/** One screen per state of the visit; a state without a screen does not compile. */
import type { ReactNode } from "react";
import { type ScreenProps, useDoor } from "./door";
import { Icon } from "./Icons";
import { Notice } from "./parts";
import { Card } from "./screens/Card";
import { Consent } from "./screens/Consent";
import { Done, NotDone, Wait } from "./screens/Ending";
import { Face } from "./screens/Face";
import { Finger } from "./screens/Finger";
import { Confirm, Form } from "./screens/Form";
import { InCall, isInCall, Serving } from "./screens/InCall";
import { Reading } from "./screens/Reading";
import { Waiting } from "./screens/Waiting";
import { useWords, type Word } from "./words";

interface VisitScreensProps extends ScreenProps {
  readonly onFinish: () => void;
  /** Below the receipt: what this door has to say once everything is done. */
  readonly afterwards?: ReactNode;
}

function screenOf({ visit, view, onFinish, afterwards }: VisitScreensProps): ReactNode {
  switch (view.state) {
    case "consent":
      return <Consent visit={visit} view={view} />;
    case "card":
      return <Card visit={visit} view={view} />;
    case "face":
      return <Face visit={visit} view={view} />;
    case "finger":
      return <Finger visit={visit} view={view} />;
    case "form":
      return <Form visit={visit} view={view} />;
    case "confirm":
      return <Confirm visit={visit} view={view} />;
    case "waiting":
      return <Waiting visit={visit} view={view} />;
    case "serving":
      return <Serving visit={visit} view={view} />;
    case "reading":
      return <Reading visit={visit} view={view} />;
    case "countersigning":
    case "approving":
    case "sealing":
      return <Wait key={view.state} state={view.state} />;
    case "done":
      return (
        <Done visit={visit} view={view} onFinish={onFinish}>
          {afterwards}
        </Done>
      );
    case "refused":
    case "interrupted":
    case "cancelled":
      return <NotDone visit={visit} view={view} state={view.state} onFinish={onFinish} />;
  }
}

export function VisitScreens(props: VisitScreensProps) {
  const { visit, view } = props;
  const { t } = useWords();
  const screen = screenOf(props);
  return (
    <>
      {!visit.online && (
        <Notice tone="warn" urgent>
          <p>{t("offline")}</p>
        </Notice>
      )}
      {isInCall(view) ? (
        <InCall visit={visit} view={view}>
          {screen}
        </InCall>
      ) : (
        <div className="screen" key={view.state}>
          {screen}
        </div>
      )}
    </>
  );
}

interface Step {
  readonly word: Word;
  readonly states: readonly string[];
}

/** The way through this visit, as the customer knows it. */
export function Trail({ view }: { readonly view: ScreenProps["view"] }) {
  const { t } = useWords();
  const kiosk = useDoor().channel === "kiosk";
  const steps: readonly Step[] = [
    { word: "stepConsent", states: ["consent"] },
    ...(kiosk ? [{ word: "stepCard", states: ["card"] } as const] : []),
    { word: "stepFace", states: ["face"] },
    ...(view.asks_finger === null ? [] : [{ word: "stepFinger", states: ["finger"] } as const]),
    ...(view.form.length === 0 ? [] : [{ word: "stepForm", states: ["form"] } as const]),
    ...(view.route === "clerk"
      ? ([
          { word: "stepClerk", states: ["waiting", "serving"] },
          { word: "stepSign", states: ["reading", "countersigning", "approving"] },
        ] as const)
      : ([{ word: "stepConfirm", states: ["confirm"] }] as const)),
    { word: "stepDone", states: ["sealing", "done"] },
  ];
  const at = steps.findIndex((step) => step.states.includes(view.state));
  if (at < 0) {
    return null;
  }
  return (
    <nav className="trail" aria-label={t("steps")}>
      <ol>
        {steps.map((step, place) => (
          <li
            key={step.word}
            data-place={place < at || view.state === "done" ? "past" : place === at ? "now" : "later"}
            aria-current={place === at ? "step" : undefined}
          >
            <span className="trail-dot" aria-hidden="true">
              {(place < at || view.state === "done") && <Icon name="check" />}
            </span>
            <span>{t(step.word)}</span>
          </li>
        ))}
      </ol>
    </nav>
  );
}
