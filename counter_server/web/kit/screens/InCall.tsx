import type { ReactNode } from "react";
import type { Line, VisitState, VisitView } from "../../../../webrtc/web/wire";
import { DeviceExchanged } from "../DeviceCheck";
import type { ScreenProps } from "../door";
import { Icon } from "../Icons";
import { BadLine } from "../LineQuality";
import { OwnPicture, RemotePicture } from "../Pictures";
import { Notice, ScreenTitle } from "../parts";
import { isWithClerk } from "../visitStates";
import { useWords } from "../words";
import { thirdKindWords } from "../words/call";
import { lineWords } from "../words/states";
import { DeviceHelp } from "./DeviceHelp";
import { Showing } from "./Showing";

const DURING_CALL: readonly VisitState[] = ["serving", "reading", "countersigning", "approving"];

/** Where somebody is identified again in mid-call; a visit that ended there is in no call any more. */
const AGAIN: readonly VisitState[] = ["card", "face"];

/** Also while somebody is identified again in mid-call: the clerk goes on being seen and heard. */
export const isInCall = (view: VisitView): boolean =>
  DURING_CALL.includes(view.state) ||
  (AGAIN.includes(view.state) && view.continuity?.again === true && Boolean(view.clerk_name));

/** A line's state: a dot, and words beside it. */
export function LineState({ name, line }: { readonly name: string; readonly line: Line }) {
  const { t, say } = useWords();
  return (
    <p className="line" data-line={line}>
      <span className="dot" aria-hidden="true" />
      <span>{t("colon", { name, value: say(lineWords[line]) })}</span>
    </p>
  );
}

/** Clerk and customer, for as long as the call lasts: it stays while the part beside it changes with the state. */
export function InCall({ visit, view, children }: ScreenProps & { readonly children: ReactNode }) {
  const { t, say } = useWords();
  const third = view.third ?? null;
  const lostHere = visit.call?.state === "lost"; // the page knows of it before the counter can tell it
  const clerkLost = view.clerk_line === "lost" || lostHere;
  const clerk = view.clerk_name ?? "";
  return (
    <div className="in-call" data-large={view.state === "serving"} data-again={view.continuity?.again === true}>
      <section className="call" aria-label={t("servingClerkVideo")}>
        <div className="call-pictures">
          <RemotePicture call={visit.call} label={t("servingClerkVideo")} speaker={visit.devices.inUse("speaker")} />
          <div className="call-own">
            <OwnPicture devices={visit.devices} label={t("servingOwnVideo")} />
          </div>
          {view.held && (
            <p className="call-lost call-held" role="status">
              {t("servingHeld")}
            </p>
          )}
          {clerkLost && !view.held && (
            <p className="call-lost" role="status">
              {t("servingClerkLost")}
            </p>
          )}
          <p className="recorded">
            <span className="dot" aria-hidden="true" />
            {t("servingRecorded")}
          </p>
          {visit.third && (
            <div className="call-pictures call-third">
              <RemotePicture
                call={visit.third}
                label={t("thirdPicture", { kind: say(thirdKindWords[third?.kind ?? "supervisor"]) })}
              />
            </div>
          )}
        </div>
        {third && (
          <Notice tone="info" urgent>
            <p>
              {third.mode === "join"
                ? t("thirdJoined", { name: third.name, kind: say(thirdKindWords[third.kind ?? "supervisor"]) })
                : t("servingListened", { name: third.name })}
            </p>
          </Notice>
        )}
        <div className="call-below">
          {clerk && (
            <p className="call-name">
              <Icon name="clerk" /> {clerk}
            </p>
          )}
          {view.clerk_muted && <p className="hint">{t("servingClerkMuted")}</p>}
          <LineState name={t("servingYourLine")} line={lostHere ? "lost" : view.my_line} />
          <LineState name={t("servingClerkLine")} line={view.clerk_line} />
          <BadLine call={visit.call} />
        </div>
        {view.my_line === "lost" && (
          <Notice tone="warn" urgent>
            <p>{t("servingMyLost")}</p>
          </Notice>
        )}
        <DeviceHelp visit={visit} needs="both" />
        <DeviceExchanged devices={visit.devices} />
        {isWithClerk(view.state) && <Showing visit={visit} />}
      </section>
      <div className="beside-call">
        <SamePerson view={view} />
        {children}
      </div>
    </div>
  );
}

/** What the customer can do so that the counter goes on knowing them. */
function SamePerson({ view }: { readonly view: VisitView }) {
  const { t } = useWords();
  const now = view.continuity ?? null;
  if (now === null || now.state === "held") {
    return null;
  }
  if (now.state === "uncertain") {
    const away = now.cue === "no_face" || now.cue === "face_unclear";
    return away ? (
      <Notice tone="info">
        <p>{t("lookUpPlease")}</p>
      </Notice>
    ) : null;
  }
  return (
    <Notice tone={now.again ? "info" : "warn"} urgent>
      {now.again ? (
        <>
          <h2>{t("againTitle")}</h2>
          <p>{t("againText")}</p>
        </>
      ) : (
        <p>{t("againWait")}</p>
      )}
    </Notice>
  );
}

/** Talking; the document is not open yet. */
export function Serving({ view }: ScreenProps) {
  const { t, say } = useWords();
  return (
    <>
      <p className="eyebrow">{say(view.service_title)}</p>
      <ScreenTitle>
        {view.clerk_name ? t("servingTitle", { name: view.clerk_name }) : t("servingTitleNoName")}
      </ScreenTitle>
      <p className="lead">{t("servingText")}</p>
    </>
  );
}
