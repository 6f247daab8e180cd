/** The touch page: start, services, the visit's screens, and a clean desk for whoever comes next. */
import { useCallback, useEffect, useMemo, useState } from "react";
import { Api } from "../../counter_server/web/kit/api";
import { useCatalogue } from "../../counter_server/web/kit/catalogue";
import { DoorContext, useVisit } from "../../counter_server/web/kit/door";
import { Icon, type IconName, Mark } from "../../counter_server/web/kit/Icons";
import { LanguageSwitch } from "../../counter_server/web/kit/Language";
import { Button, Notice, Patience, Problem, ScreenTitle, Sheet } from "../../counter_server/web/kit/parts";
import { Services } from "../../counter_server/web/kit/screens/Services";
import { Trail, VisitScreens } from "../../counter_server/web/kit/VisitScreens";
import { Visit } from "../../counter_server/web/kit/visit";
import { hasEnded } from "../../counter_server/web/kit/visitStates";
import { announceLanguage, LanguageContext, useChosenLanguage, useWords } from "../../counter_server/web/kit/words";
import { readerWords } from "../../counter_server/web/kit/words/instructions";
import type { KioskView, Language, VisitState } from "../../webrtc/web/wire";
import { type ComfortState, useComfort } from "./comfort";
import { useDesk } from "./desk";
import { useIdle } from "./idle";
import { Keys, KeysButton } from "./Keys";
import { PhoneLinkSheet } from "./PhoneLinkSheet";

/** A kiosk in a Chinese hall starts in Chinese; the switch is on every screen. */
const FIRST_LANGUAGE: Language = "zh";
/** No time-out while someone waits, talks, reads, signs, or while a record is being sealed (research K6). */
const PATIENT: readonly VisitState[] = ["waiting", "serving", "reading", "countersigning", "approving", "sealing"];

/** A reloaded page that finds no counter asks again at this pace. */
const RESUME_AGAIN_MS = 2_000;

type Place = "attract" | "services";

export function Kiosk() {
  const [language, setLanguage] = useChosenLanguage(FIRST_LANGUAGE);
  useEffect(() => announceLanguage(language, "house"), [language]);
  useEffect(() => {
    // a long touch would open the browser's menu, a way out of the kiosk (research K32)
    const stay = (event: Event): void => event.preventDefault();
    document.addEventListener("contextmenu", stay);
    return () => document.removeEventListener("contextmenu", stay);
  }, []);
  return (
    <LanguageContext value={language}>
      <Desk onLanguage={setLanguage} />
    </LanguageContext>
  );
}

function Desk({ onLanguage }: { readonly onLanguage: (language: Language) => void }) {
  const { t } = useWords();
  const comfort = useComfort();
  const { desk, refreshDesk } = useDesk();
  const [visit] = useState(() => new Visit(new Api()));
  const view = useVisit(visit);
  const [place, setPlace] = useState<Place>("attract");
  const [resuming, setResuming] = useState(Visit.stored);
  const [erasing, setErasing] = useState(false);
  const [keys, setKeys] = useState(false);
  const [sheet, setSheet] = useState<"person" | "stop" | "phone" | null>(null);
  const door = useMemo(() => ({ channel: "kiosk", desk, refreshDesk }) as const, [desk, refreshDesk]);

  useEffect(() => {
    let again: ReturnType<typeof setTimeout> | undefined;
    const resume = (): void => {
      visit.resume().then(
        () => setResuming(false),
        () => {
          again = setTimeout(resume, RESUME_AGAIN_MS); // the counter is away: the visit may still be there after
        },
      );
    };
    if (Visit.stored()) {
      resume();
    }
    return () => clearTimeout(again);
  }, [visit]);

  const wipe = useCallback(async () => {
    setErasing(true);
    setSheet(null);
    if (visit.view !== null && !hasEnded(visit.view.state)) {
      await visit.cancel().catch(() => undefined); // unreachable: the counter ends the visit by its own lease
    }
    visit.wipe();
    sessionStorage.clear();
    // a fresh page: nothing of this customer stays in the memory of scripts, fields or the way back
    location.replace("/");
  }, [visit]);

  const atStart = view === null && place === "attract";
  const armed = !atStart && !erasing && !(view !== null && PATIENT.includes(view.state));
  // signs of a person, not of a network that comes and goes
  const seen = visit.guidance?.code === "no_face" ? null : visit.guidance;
  const activity = `${view?.state}:${desk?.card_step}:${seen?.code}:${seen?.progress}`;
  const idle = useIdle(armed, activity, wipe);

  return (
    <DoorContext value={door}>
      <div className="page kiosk">
        <header className="head">
          <p className="brand">
            <Mark />
            <span>{t("house")}</span>
          </p>
          {view !== null && !visit.gone && <Trail view={view} />}
          {visit.devices.stream !== null && (
            <p className="camera-on">
              <span className="dot" aria-hidden="true" />
              {t("cameraOn")}
            </p>
          )}
        </header>
        <main data-state={view?.state ?? (erasing ? "erasing" : place)}>
          {erasing || resuming ? (
            <div className="screen">
              <Patience>{t(erasing ? "clearing" : "resuming")}</Patience>
            </div>
          ) : visit.gone ? (
            <Gone onFinish={() => void wipe()} />
          ) : view !== null ? (
            <VisitScreens visit={visit} view={view} onFinish={() => void wipe()} />
          ) : atStart ? (
            <Attract onStart={() => setPlace("services")} />
          ) : (
            <ServicesHere visit={visit} desk={desk} onPhone={() => setSheet("phone")} />
          )}
        </main>
        <Keys open={keys} onOpen={setKeys} />
        <Bar onLanguage={onLanguage} comfort={comfort}>
          {view !== null && !visit.gone && (view.state === "card" || view.state === "form") && (
            <KeysButton open={keys} onOpen={setKeys} />
          )}
          <BarButton icon="person" onPress={() => setSheet("person")}>
            {t("person")}
          </BarButton>
          {!atStart && !visit.gone && !(view !== null && hasEnded(view.state)) && (
            <BarButton icon="cross" onPress={() => (view === null ? void wipe() : setSheet("stop"))}>
              {t("stop")}
            </BarButton>
          )}
        </Bar>
      </div>
      {sheet === "person" && (
        <Sheet title={t("personTitle")} onClose={() => setSheet(null)}>
          <p>{t("personText")}</p>
          <div className="actions">
            <Button kind="primary" onPress={() => setSheet(null)}>
              {t("close")}
            </Button>
          </div>
        </Sheet>
      )}
      {sheet === "stop" && (
        <Sheet title={t("stopTitle")} onClose={() => setSheet(null)}>
          <p>{t("stopText")}</p>
          <div className="actions">
            <Button kind="primary" onPress={() => setSheet(null)}>
              {t("stopNo")}
            </Button>
            <Button kind="danger" onPress={() => void wipe()}>
              {t("stopYes")}
            </Button>
          </div>
        </Sheet>
      )}
      {sheet === "phone" && <PhoneLinkSheet api={visit.api} onClose={() => setSheet(null)} />}
      {idle.left_s !== null && (
        <Sheet title={t("idleTitle")} onClose={idle.stay} urgent>
          <p>{t("idleText", { n: idle.left_s })}</p>
          <div className="actions">
            <Button kind="primary" onPress={idle.stay}>
              {t("idleMore")}
            </Button>
            <Button onPress={() => void wipe()}>{t("idleEnd")}</Button>
          </div>
        </Sheet>
      )}
    </DoorContext>
  );
}

function Attract({ onStart }: { readonly onStart: () => void }) {
  const { t } = useWords();
  return (
    <div className="screen attract">
      <div className="stage">
        <div className="attract-mark" aria-hidden="true">
          <Mark />
        </div>
        <ScreenTitle>{t("attractTitle")}</ScreenTitle>
        <p className="lead">{t("attractText")}</p>
      </div>
      <div className="deck">
        <div className="actions">
          <Button kind="primary" icon="next" onPress={onStart}>
            {t("start")}
          </Button>
        </div>
      </div>
    </div>
  );
}

interface ServicesHereProps {
  readonly visit: Visit;
  readonly desk: KioskView | null;
  readonly onPhone: () => void;
}

function ServicesHere({ visit, desk, onPhone }: ServicesHereProps) {
  const { t, say } = useWords();
  const { catalogue, problem } = useCatalogue(visit.api, true);
  const faulty = desk !== null && (desk.reader === "no_reader" || desk.reader === "no_service");
  return (
    <div className="screen">
      {catalogue === null ? (
        <>
          <Problem of={problem} />
          {problem === null && <Patience>{t("loading")}</Patience>}
        </>
      ) : (
        <Services
          visit={visit}
          catalogue={catalogue}
          remark={
            faulty && desk ? (
              <Notice tone="warn">
                <p>{t("readerFault", { why: say(readerWords[desk.reader]) })}</p>
              </Notice>
            ) : null
          }
          below={
            <div className="actions">
              <Button icon="phone" onPress={onPhone}>
                {t("phoneInstead")}
              </Button>
            </div>
          }
        />
      )}
    </div>
  );
}

function Gone({ onFinish }: { readonly onFinish: () => void }) {
  const { t } = useWords();
  return (
    <div className="screen">
      <div className="stage">
        <ScreenTitle>{t("interruptedTitle")}</ScreenTitle>
        <p className="lead">{t("interruptedNow")}</p>
      </div>
      <div className="deck">
        <div className="actions">
          <Button kind="primary" onPress={onFinish}>
            {t("startAgain")}
          </Button>
        </div>
      </div>
    </div>
  );
}

interface BarProps {
  readonly comfort: ComfortState;
  readonly onLanguage: (language: Language) => void;
  readonly children: React.ReactNode;
}

/** At the lower edge, within everybody's reach: language, display, help. */
function Bar({ comfort, onLanguage, children }: BarProps) {
  const { t } = useWords();
  return (
    <footer className="bar">
      <LanguageSwitch onChoose={onLanguage} />
      {/* biome-ignore lint/a11y/useSemanticElements: switches that act at once, no form */}
      <div className="bar-group comfort" role="group" aria-label={t("comfort")}>
        <BarButton icon="letters" pressed={comfort.comfort.large} onPress={() => comfort.toggle("large")}>
          {t("largeText")}
        </BarButton>
        <BarButton icon="contrast" pressed={comfort.comfort.contrast} onPress={() => comfort.toggle("contrast")}>
          {t("highContrast")}
        </BarButton>
        <BarButton icon="reach" pressed={comfort.comfort.low} onPress={() => comfort.toggle("low")}>
          {t("lowReach")}
        </BarButton>
      </div>
      <div className="bar-group">{children}</div>
    </footer>
  );
}

interface BarButtonProps {
  readonly icon: IconName;
  readonly pressed?: boolean;
  readonly onPress: () => void;
  readonly children: React.ReactNode;
}

function BarButton({ icon, pressed, onPress, children }: BarButtonProps) {
  return (
    <button type="button" className="bar-button" aria-pressed={pressed} onClick={onPress}>
      <Icon name={icon} />
      <span>{children}</span>
    </button>
  );
}
