/** The clerk's page: login, queue, the customer at the desk, approvals. Works by keyboard alone. */
import { useEffect, useState, useSyncExternalStore } from "react";
import type { ConsoleView, Language } from "../../../webrtc/web/wire";
import { DeviceCheck, DeviceExchanged, PermissionHelp } from "../kit/DeviceCheck";
import { Mark } from "../kit/Icons";
import { LanguageSwitch } from "../kit/Language";
import { OwnPicture } from "../kit/Pictures";
import { Button, Notice, Patience, Problem, useAction, useLostFocus } from "../kit/parts";
import { LineState } from "../kit/screens/InCall";
import { announceLanguage, browserLanguage, LanguageContext, useWords } from "../kit/words";
import { stateWords } from "../kit/words/states";
import { Approval, Approvals } from "./Approvals";
import { AtDesk } from "./AtDesk";
import { ClerkDesk } from "./desk";
import { Invited } from "./Invitation";
import { LoginPage } from "./LoginPage";
import { Passkeys } from "./Passkeys";
import { Queue } from "./Queue";
import { MAY_WATCH, Recordings } from "./Recordings";
import { RunningCalls, WatchedCall } from "./Supervision";

const LANGUAGE_AS = "counter.language";

export function Console() {
  const [chosen, setChosen] = useState<Language | null>(() => localStorage.getItem(LANGUAGE_AS) as Language | null);
  const [desk] = useState(() => new ClerkDesk());
  useSyncExternalStore(desk.subscribe, desk.snapshot);
  const language = chosen ?? desk.clerk?.language ?? browserLanguage();
  useEffect(() => announceLanguage(language, "console"), [language]);
  const choose = (next: Language): void => {
    localStorage.setItem(LANGUAGE_AS, next);
    setChosen(next);
  };
  return (
    <LanguageContext value={language}>
      <Room desk={desk} onLanguage={choose} />
    </LanguageContext>
  );
}

interface RoomProps {
  readonly desk: ClerkDesk;
  readonly onLanguage: (language: Language) => void;
}

function Room({ desk, onLanguage }: RoomProps) {
  const { t } = useWords();
  const view = desk.view;
  const leaving = useAction();
  const inside = desk.presence === "in";
  return (
    <div className="page clerk" data-inside={inside}>
      <header className="head">
        <p className="brand">
          <Mark />
          <span>{t("console")}</span>
        </p>
        <div className="head-right">
          {desk.clerk && <p className="clerk-name">{desk.clerk.name}</p>}
          <LanguageSwitch onChoose={onLanguage} />
          {inside && desk.clerk?.roles.includes("supervisor") && <a href="/console/deliveries">{t("deliveries")}</a>}
          {inside && (
            <Button disabled={leaving.busy} onPress={() => void leaving.run(() => desk.logout())}>
              {t("logout")}
            </Button>
          )}
        </div>
      </header>
      <Announcer view={view} />
      {inside && view !== null ? (
        <Inside desk={desk} view={view} />
      ) : (
        <main data-state={desk.presence === "out" ? "login" : "opening"}>
          {desk.presence === "out" ? <LoginPage desk={desk} /> : <Patience>{t("loading")}</Patience>}
        </main>
      )}
    </div>
  );
}

function Inside({ desk, view }: { readonly desk: ClerkDesk; readonly view: ConsoleView }) {
  const { t } = useWords();
  const [reviewed, setReviewed] = useState<string | null>(null);
  const [watching, setWatching] = useState(false);
  const mayWatch = MAY_WATCH.some((role) => view.clerk.roles.includes(role));
  const row = view.approvals.find((one) => one.visit_id === reviewed);
  return (
    <div className="room">
      <aside className="side" aria-label={t("queueTitle")}>
        <Invited desk={desk} view={view} />
        <Queue desk={desk} view={view} />
        <Approvals view={view} open={row ? reviewed : null} onOpen={setReviewed} />
        {view.clerk.roles.includes("supervisor") && <RunningCalls desk={desk} view={view} />}
        {mayWatch && (
          <section className="panel" aria-labelledby="recordings-title">
            <h2 id="recordings-title">{t("recordingsTitle")}</h2>
            <p className="hint">{t("recordingsHint")}</p>
            <Button pressed={watching} onPress={() => setWatching(!watching)}>
              {t("recordingsOpen")}
            </Button>
          </section>
        )}
        <OwnCamera desk={desk} view={view} />
        <Passkeys desk={desk} />
      </aside>
      <main data-state={view.visit?.state ?? "ready"}>
        {!desk.online && (
          <Notice tone="warn" urgent>
            <p>{t("consoleOffline")}</p>
          </Notice>
        )}
        {!view.media_ok && (
          <Notice tone="warn" urgent>
            <p>{t("mediaDown")}</p>
          </Notice>
        )}
        <Problem of={desk.trouble} />
        <WatchedCall desk={desk} view={view} />
        {/* prefixed: the clerk's own visit may stand below it, and siblings must not share a key */}
        {row && <Approval key={`approval-${row.visit_id}`} desk={desk} row={row} />}
        {watching && mayWatch && <Recordings api={desk.api} onClose={() => setWatching(false)} />}
        {view.visit ? (
          <AtDesk key={view.visit.visit_id} desk={desk} visit={view.visit} />
        ) : (
          !row && !watching && desk.watching === null && <Nobody />
        )}
      </main>
    </div>
  );
}

function Nobody() {
  const { t } = useWords();
  const title = useLostFocus<HTMLHeadingElement>("once");
  return (
    <div className="nobody">
      <h1 ref={title} tabIndex={-1}>
        {t("noVisitTitle")}
      </h1>
      <p className="lead">{t("noVisitText")}</p>
    </div>
  );
}

/** Oneself, as customers see one; the leg is warm before a ticket is taken. */
function OwnCamera({ desk, view }: { readonly desk: ClerkDesk; readonly view: ConsoleView }) {
  const { t } = useWords();
  const [testing, setTesting] = useState(false);
  const state = desk.call?.state;
  const line =
    view.visit?.my_line ??
    (state === "connected" ? "ok" : state === "lost" ? "lost" : state === "idle" || !state ? "none" : "connecting");
  const troubled = desk.devices.cameraTrouble !== null || desk.devices.microphoneTrouble !== null;
  return (
    <section className="panel" aria-label={t("ownCamera")}>
      <h2>{t("ownCamera")}</h2>
      <div className="own-camera">
        <OwnPicture devices={desk.devices} label={t("ownCamera")} />
      </div>
      <LineState name={t("myLine")} line={line} />
      {(desk.devices.stream === null || troubled) && (
        <>
          <p className="hint">{t("ownOff")}</p>
          {(desk.devices.cameraTrouble === "refused" || desk.devices.microphoneTrouble === "refused") && (
            <PermissionHelp />
          )}
          <Button onPress={() => void desk.openDevices()}>{t("openDevices")}</Button>
        </>
      )}
      <DeviceExchanged devices={desk.devices} />
      {desk.devices.stream !== null && (
        <Button icon="camera" onPress={() => setTesting(true)}>
          {t("deviceTest")}
        </Button>
      )}
      {testing && <DeviceCheck devices={desk.devices} onClose={() => setTesting(false)} />}
    </section>
  );
}

/** Says each change of state once, politely, for those who hear the page. */
function Announcer({ view }: { readonly view: ConsoleView | null }) {
  const { t, say } = useWords();
  const visit = view?.visit ?? null;
  const at = visit === null ? "" : `${visit.ticket_number}: ${say(stateWords[visit.state])}`;
  const queue = view === null ? "" : t("queueCount", { n: view.waiting.length });
  const approvals = view?.approvals.filter((row) => !row.mine).length ?? 0;
  return (
    <>
      <p className="spoken" role="status">
        {at}
      </p>
      <p className="spoken" role="status">
        {approvals > 0 ? t("approvalsCount", { n: approvals }) : ""}
      </p>
      <p className="spoken" role="status">
        {queue}
      </p>
    </>
  );
}
