import { type FormEvent, useId, useState } from "react";
import type { ClerkVisit, VisitState } from "../../../webrtc/web/wire";
import { LineQuality } from "../kit/LineQuality";
import { RemotePicture } from "../kit/Pictures";
import { Button, Notice, Patience, Problem, ScreenTitle, Sheet, useAction, useLostFocus } from "../kit/parts";
import { LineState } from "../kit/screens/InCall";
import { lineFigures } from "../kit/screens/LineCheck";
import { hasEnded, isWithClerk } from "../kit/visitStates";
import { useWords, type Words } from "../kit/words";
import { thirdKindWords, verdictWords } from "../kit/words/call";
import { reasonWords } from "../kit/words/errors";
import { assuranceWords, channelWords, deviceWords, stateWords, troubleWords } from "../kit/words/states";
import { Checklist } from "./Checklist";
import type { ClerkDesk } from "./desk";
import { Checks, Entered, Face, Finger, Holder, Portraits } from "./Evidence";
import { InviteColleague } from "./Invitation";
import { CountersignForm, Papers } from "./Papers";
import { SamePerson } from "./SamePerson";

const REFUSABLE: readonly VisitState[] = ["waiting", "serving", "reading", "countersigning"];

interface AtDeskProps {
  readonly desk: ClerkDesk;
  readonly visit: ClerkVisit;
}

/** The customer at this desk: picture, evidence, checklist, document, signature. */
export function AtDesk({ desk, visit }: AtDeskProps) {
  const { t, say } = useWords();
  const over = hasEnded(visit.state);
  const people = !over || visit.has_portrait || visit.has_live_picture;
  const title = t("visitOf", { number: visit.ticket_number, service: say(visit.service_title) });
  return (
    <section className="at-desk" aria-label={t("visitTitle")} data-visit-state={visit.state}>
      <div className="desk-head">
        <div>
          <ScreenTitle>{title}</ScreenTitle>
          <p className="hint">
            {say(stateWords[visit.state])} · {say(channelWords[visit.channel])} ·{" "}
            {t("speaks", { language: visit.language === "zh" ? "中文" : "English" })} ·{" "}
            {say(assuranceWords[visit.assurance])}
          </p>
        </div>
        {!over && (REFUSABLE.includes(visit.state) || visit.continuity?.again) && <Refuse desk={desk} />}
      </div>
      {!over && visit.continuity?.state === "broken" && <SamePerson desk={desk} visit={visit} />}
      <div className="desk-columns" data-people={people}>
        {people && (
          <div className="column people">
            {!over && <CustomerPicture desk={desk} visit={visit} />}
            {!over && <CallControls desk={desk} visit={visit} />}
            <Portraits
              key={`${visit.visit_id}-${visit.has_live_picture}-${visit.face?.attempts_left}`}
              api={desk.api}
              visitId={visit.visit_id}
              portrait={visit.has_portrait}
              live={visit.has_live_picture}
            />
            {visit.third == null && isWithClerk(visit.state) && desk.view && (
              <InviteColleague desk={desk} view={desk.view} />
            )}
            {!over && <CallLines desk={desk} visit={visit} />}
          </div>
        )}
        <div className="column">
          <NextStep desk={desk} visit={visit} />
          {visit.document && <Papers api={desk.api} visitId={visit.visit_id} document={visit.document} />}
          <Face face={visit.face} />
          <Finger finger={visit.finger ?? null} checks={visit.checks} />
          <Checklist
            desk={desk}
            items={visit.checklist}
            complete={visit.checklist_complete}
            closed={over || visit.document !== null}
          />
          <Entered form={visit.form} values={visit.values} />
          {visit.holder && <Holder holder={visit.holder} />}
          <Checks checks={visit.checks} />
        </div>
      </div>
    </section>
  );
}

/** The counter names a trouble as `device:trouble`; anything else is shown as it came. */
function troubleText(trouble: string, say: Words["say"]): string {
  const [device, kind] = trouble.split(":");
  const deviceText = Object.entries(deviceWords).find(([known]) => known === device)?.[1];
  const kindText = Object.entries(troubleWords).find(([known]) => known === kind)?.[1];
  return deviceText && kindText ? `${say(deviceText)}, ${say(kindText)}` : trouble;
}

function CustomerPicture({ desk, visit }: AtDeskProps) {
  const { t, say } = useWords();
  const lost = visit.customer_line === "lost" || desk.call?.state === "lost";
  return (
    <section className="call" aria-label={t("customerVideo")}>
      <div className="call-pictures">
        <RemotePicture
          key={visit.visit_id}
          call={desk.call}
          label={t("customerVideo")}
          speaker={desk.devices.inUse("speaker")}
        />
        {lost && (
          <p className="call-lost" role="status">
            {t("customerLost")}
          </p>
        )}
        <p className="recorded">
          <span className="dot" aria-hidden="true" />
          {t("recorded")}
        </p>
        {desk.third && (
          <div className="call-pictures call-third">
            <RemotePicture call={desk.third} label={t("thirdPicture", { kind: thirdKind(visit, say) })} />
          </div>
        )}
      </div>
      {desk.shown && (
        <div className="call-pictures call-shown">
          <RemotePicture call={desk.shown} label={t("shownByCustomer")} />
        </div>
      )}
      {visit.continuity && visit.continuity.state !== "broken" && <SamePerson desk={desk} visit={visit} />}
      {visit.customer_trouble && (
        <Notice tone="warn">
          <p>{t("trouble", { what: troubleText(visit.customer_trouble, say) })}</p>
        </Notice>
      )}
    </section>
  );
}

/** How both ways to the counter are, in words and figures. */
function CallLines({ desk, visit }: AtDeskProps) {
  const { t } = useWords();
  return (
    <div className="call-below">
      <LineState name={t("customerLine")} line={visit.customer_line} />
      <LineState name={t("myLine")} line={desk.call?.state === "lost" ? "lost" : visit.my_line} />
      <LineQuality call={desk.call} name={t("lineQuality")} />
      <LineBefore visit={visit} />
    </div>
  );
}

const thirdKind = (visit: ClerkVisit, say: Words["say"]): string =>
  say(thirdKindWords[visit.third?.kind ?? "supervisor"]);

/** What the customer's page found of its line while nobody waited yet. */
function LineBefore({ visit }: { readonly visit: ClerkVisit }) {
  const words = useWords();
  const found = visit.line_check;
  if (!found) {
    return null;
  }
  const what = [words.say(verdictWords[found.verdict]), lineFigures(found, words)].filter(Boolean).join(" · ");
  return <p className="hint figures">{words.t("lineBefore", { what })}</p>;
}

const thirdWords = { listen: "callListened", whisper: "callWhispered", join: "callJoined" } as const;

/** Waiting, the own microphone, and who else is there. */
function CallControls({ desk, visit }: AtDeskProps) {
  const { t } = useWords();
  const acting = useAction();
  const { held, muted } = visit;
  const third = visit.third ?? null;
  return (
    <section className="call-controls" aria-label={t("callControls")}>
      {isWithClerk(visit.state) && (
        <div className="actions">
          <Button
            pressed={held}
            disabled={acting.busy}
            onPress={() => void acting.run(() => desk.setCall(!held, muted))}
          >
            {t("callHold")}
          </Button>
          <Button
            pressed={muted}
            disabled={acting.busy}
            onPress={() => void acting.run(() => desk.setCall(held, !muted))}
          >
            {t("callMute")}
          </Button>
        </div>
      )}
      <Problem of={acting.problem} />
      <p className="told" role="status">
        {held ? t("callHoldHint") : ""}
      </p>
      <p className="told" role="status">
        {third ? t(thirdWords[third.mode], { name: third.name }) : ""}
      </p>
    </section>
  );
}

/** The one thing the clerk can do next, always at the same place; it takes a focus whose button has gone. */
function NextStep({ desk, visit }: AtDeskProps) {
  const { t } = useWords();
  const section = useLostFocus<HTMLElement>(`${visit.state} ${visit.document !== null}`);
  return (
    <section ref={section} tabIndex={-1} className="panel act" aria-label={t("nextStep")}>
      <Step desk={desk} visit={visit} />
    </section>
  );
}

function Step({ desk, visit }: AtDeskProps) {
  const { t, say } = useWords();
  const acting = useAction();
  if (visit.continuity?.state === "broken" && !hasEnded(visit.state)) {
    return <p>{t(visit.continuity.again ? "samePersonMeanwhile" : "samePersonHalted")}</p>;
  }
  switch (visit.state) {
    case "serving":
    case "reading":
      return visit.document !== null ? (
        <Patience unspoken>{say(stateWords[visit.state])}</Patience>
      ) : (
        <>
          <div className="actions">
            <Button
              kind="primary"
              icon="paper"
              disabled={!visit.checklist_complete || acting.busy}
              describedBy="push-hint"
              onPress={() => void acting.run(() => desk.pushDocument())}
            >
              {t("pushDocument")}
            </Button>
            <p className="hint" id="push-hint">
              {visit.checklist_complete ? t("checklistDone") : t("pushHint")}
            </p>
          </div>
          <Problem of={acting.problem} />
        </>
      );
    case "countersigning":
      return <CountersignForm desk={desk} visit={visit} />;
    case "approving":
      return <Patience unspoken>{t("waitApproval")}</Patience>;
    case "done":
    case "refused":
    case "cancelled":
    case "interrupted":
      return (
        <>
          <Notice tone={visit.state === "done" ? "good" : "warn"}>
            {visit.receipt ? (
              <p data-receipt="record">{t("finishedDone", { record: visit.receipt.record_id })}</p>
            ) : (
              <p>{say(stateWords[visit.state])}</p>
            )}
            {visit.reason && <p>{say(reasonWords[visit.reason])}</p>}
          </Notice>
          <div className="actions">
            <Button kind="primary" disabled={acting.busy} onPress={() => void acting.run(() => desk.clear())}>
              {t("clearDesk")}
            </Button>
          </div>
          <Problem of={acting.problem} />
        </>
      );
    default:
      return <Patience unspoken>{say(stateWords[visit.state])}</Patience>;
  }
}

function Refuse({ desk }: { readonly desk: ClerkDesk }) {
  const { t } = useWords();
  const id = useId();
  const [open, setOpen] = useState(false);
  const [note, setNote] = useState("");
  const refusing = useAction();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void refusing.run(() => desk.refuse(note)).then((done) => done && setOpen(false));
  };
  return (
    <>
      <Button kind="danger" onPress={() => setOpen(true)}>
        {t("refuse")}
      </Button>
      {open && (
        <Sheet title={t("refuseTitle")} onClose={() => setOpen(false)}>
          <form className="refuse" onSubmit={submit}>
            <div className="field">
              <label htmlFor={id}>{t("refuseNote")}</label>
              <p className="hint" id={`${id}-hint`}>
                {t("refuseHint")}
              </p>
              <textarea
                id={id}
                rows={4}
                maxLength={400}
                required
                aria-describedby={`${id}-hint`}
                value={note}
                onChange={(event) => setNote(event.target.value)}
              />
            </div>
            <Problem of={refusing.problem} />
            <div className="actions">
              <Button kind="danger" submit disabled={refusing.busy || note.trim() === ""}>
                {t("refuseYes")}
              </Button>
              <Button onPress={() => setOpen(false)}>{t("cancel")}</Button>
            </div>
          </form>
        </Sheet>
      )}
    </>
  );
}
