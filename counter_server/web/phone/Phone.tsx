/** The phone's page: a one-time link, then the same screens as the kiosk, without the card. */
import { type ReactNode, useCallback, useEffect, useState } from "react";
import type { Language, PhoneSession, RedeemLink } from "../../../webrtc/web/wire";
import { Api, RefusedError } from "../kit/api";
import { useCatalogue } from "../kit/catalogue";
import { DoorContext, useVisit } from "../kit/door";
import { Mark } from "../kit/Icons";
import { LanguageSwitch } from "../kit/Language";
import { Button, Notice, Patience, Problem, ScreenTitle, Sheet } from "../kit/parts";
import { Services } from "../kit/screens/Services";
import { Trail, VisitScreens } from "../kit/VisitScreens";
import { Visit } from "../kit/visit";
import { hasEnded } from "../kit/visitStates";
import { announceLanguage, browserLanguage, LanguageContext, useChosenLanguage, useWords } from "../kit/words";
import { AskedFirst, KeepKey, Recognised, ShowKey } from "./PhoneKey";
import { wasKept } from "./phoneKeys";

const SESSION_AS = "counter.phone";
const DOOR = { channel: "phone" } as const;

/** The token behind `#`, taken out of the address at once, so that it is in no history and no screenshot. */
function linkToken(): string | null {
  const token = location.hash.slice(1);
  if (token !== "") {
    history.replaceState(null, "", location.pathname);
  }
  return token === "" ? null : token;
}

type Entry =
  | { readonly at: "opening" }
  | { readonly at: "no_link" }
  | { readonly at: "failed"; readonly problem: RefusedError }
  | { readonly at: "in" };

/** A new link wins over what this tab held before; without one, a reload goes on. */
async function enter(visit: Visit, token: string | null): Promise<Entry> {
  if (token !== null) {
    visit.wipe();
    sessionStorage.clear();
    const wish: RedeemLink = { link_token: token };
    const { phone_token } = await visit.api.post<PhoneSession>("/api/phone/redeem", wish);
    sessionStorage.setItem(SESSION_AS, phone_token);
  } else if (await visit.resume()) {
    return { at: "in" };
  }
  visit.api.token = sessionStorage.getItem(SESSION_AS);
  return { at: visit.api.token === null ? "no_link" : "in" };
}

export function Phone() {
  const [language, setLanguage] = useChosenLanguage(browserLanguage());
  useEffect(() => announceLanguage(language, "house"), [language]);
  return (
    <LanguageContext value={language}>
      <DoorContext value={DOOR}>
        <Pocket onLanguage={setLanguage} />
      </DoorContext>
    </LanguageContext>
  );
}

function Pocket({ onLanguage }: { readonly onLanguage: (language: Language) => void }) {
  const { t } = useWords();
  const [visit] = useState(() => new Visit(new Api()));
  const [token] = useState(linkToken);
  const view = useVisit(visit);
  const [entry, setEntry] = useState<Entry>({ at: "opening" });
  const [stopping, setStopping] = useState(false);
  const [keyAsked, setKeyAsked] = useState(wasKept);

  const open = useCallback(() => {
    setEntry({ at: "opening" });
    enter(visit, token).then(setEntry, (problem: unknown) => {
      if (!(problem instanceof RefusedError)) {
        throw problem;
      }
      setEntry({ at: "failed", problem });
    });
  }, [visit, token]);
  useEffect(open, [open]);

  const finish = async (): Promise<void> => {
    if (visit.view !== null && !hasEnded(visit.view.state)) {
      await visit.cancel().catch(() => undefined); // unreachable: the counter ends the visit by its own lease
    }
    visit.wipe();
    sessionStorage.clear();
    setStopping(false);
    setEntry({ at: "no_link" });
  };

  const body = (): ReactNode => {
    if (visit.gone) {
      return (
        <Message title={t("interruptedTitle")} text={t("interruptedNowPhone")}>
          <Button kind="primary" onPress={() => void finish()}>
            {t("doneFinish")}
          </Button>
        </Message>
      );
    }
    if (view !== null) {
      const beginning = view.state === "consent";
      if (beginning && keyAsked && view.phone_key === "askable") {
        return <ShowKey visit={visit} onWithout={() => setKeyAsked(false)} />;
      }
      return (
        <>
          {beginning && view.phone_key === "recognised" && <Recognised view={view} />}
          <VisitScreens
            visit={visit}
            view={view}
            onFinish={() => void finish()}
            afterwards={<KeepKey visit={visit} view={view} />}
          />
        </>
      );
    }
    switch (entry.at) {
      case "opening":
        return (
          <div className="screen">
            <Patience>{t("loading")}</Patience>
          </div>
        );
      case "no_link":
        return <Message title={t("linkTitle")} text={t("linkText")} />;
      case "failed":
        return (
          <Message title={t("linkFailed")}>
            <Problem of={entry.problem} />
            {entry.problem.code === "counter_unreachable" && (
              <Button kind="primary" onPress={open}>
                {t("tryAgain")}
              </Button>
            )}
          </Message>
        );
      case "in":
        return <ServicesHere visit={visit} first={<AskedFirst asked={keyAsked} onAsk={() => setKeyAsked(true)} />} />;
    }
  };

  return (
    <div className="page phone">
      <header className="head">
        <p className="brand">
          <Mark />
          <span>{t("house")}</span>
        </p>
        <LanguageSwitch onChoose={onLanguage} />
      </header>
      {view !== null && !visit.gone && <Trail view={view} />}
      <main data-state={view?.state ?? entry.at}>{body()}</main>
      {view !== null && !visit.gone && !hasEnded(view.state) && view.state !== "sealing" && (
        <footer className="bar">
          {visit.devices.stream !== null && (
            <p className="camera-on">
              <span className="dot" aria-hidden="true" />
              {t("cameraOn")}
            </p>
          )}
          <Button kind="quiet" icon="cross" onPress={() => setStopping(true)}>
            {t("stop")}
          </Button>
        </footer>
      )}
      {stopping && (
        <Sheet title={t("stopTitle")} onClose={() => setStopping(false)}>
          <p>{t("stopText")}</p>
          <div className="actions">
            <Button kind="primary" onPress={() => setStopping(false)}>
              {t("stopNo")}
            </Button>
            <Button kind="danger" onPress={() => void finish()}>
              {t("stopYes")}
            </Button>
          </div>
        </Sheet>
      )}
    </div>
  );
}

interface MessageProps {
  readonly title: string;
  readonly text?: string;
  readonly children?: ReactNode;
}

function Message({ title, text, children }: MessageProps) {
  return (
    <div className="screen">
      <div className="stage">
        <ScreenTitle>{title}</ScreenTitle>
        {text && <p className="lead">{text}</p>}
      </div>
      <div className="deck">{children}</div>
    </div>
  );
}

interface ServicesHereProps {
  readonly visit: Visit;
  readonly first: ReactNode;
}

function ServicesHere({ visit, first }: ServicesHereProps) {
  const { t } = useWords();
  const { catalogue, problem } = useCatalogue(visit.api, true);
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
            <>
              <Notice tone="info">
                <p>{t("phoneAssurance")}</p>
              </Notice>
              {first}
            </>
          }
        />
      )}
    </div>
  );
}
