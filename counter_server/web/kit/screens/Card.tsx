import { type FormEvent, useEffect, useRef, useState } from "react";
import { CARD_STEPS, type CardAccess } from "../../../../webrtc/web/wire";
import { type ScreenProps, useDoor } from "../door";
import { Icon } from "../Icons";
import { Button, Notice, Problem, Progress, ScreenTitle, useAction } from "../parts";
import { useWords } from "../words";
import { cardStepWords, readerWords } from "../words/instructions";
import { CardDrawing } from "./CardDrawing";

/** wire.KioskView asks for one poll a second; the steps of one reading last about that long. */
const POLL_EVERY_MS = 1_000;
const NUMBER_PATTERN = /^[A-Z0-9]{1,30}$/;

interface DateParts {
  readonly day: string;
  readonly month: string;
  readonly year: string;
}
const NO_DATE: DateParts = { day: "", month: "", year: "" };

/** ISO 8601, or null when it is no day of the calendar. */
function isoDate({ day, month, year }: DateParts): string | null {
  if (!/^\d{1,2}$/.test(day) || !/^\d{1,2}$/.test(month) || !/^\d{4}$/.test(year)) {
    return null;
  }
  const text = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const date = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== text ? null : text;
}

/** The number that marks the same thing in the drawing. */
function Spot({ number }: { readonly number: number }) {
  return (
    <span className="spot-number" aria-hidden="true">
      {number}
    </span>
  );
}

interface DateFieldProps {
  readonly name: string;
  readonly spot: number;
  readonly legend: string;
  readonly hint: string;
  readonly value: DateParts;
  readonly wrong: boolean;
  readonly onChange: (value: DateParts) => void;
}

/** Three short boxes: nobody has to guess the order of a date, and no calendar has to be scrolled to 1958. */
function DateField({ name, spot, legend, hint, value, wrong, onChange }: DateFieldProps) {
  const { t, language } = useWords();
  const order = language === "zh" ? (["year", "month", "day"] as const) : (["day", "month", "year"] as const);
  return (
    <fieldset className="date" name={name} aria-describedby={`${name}-hint`}>
      <legend>
        <Spot number={spot} /> {legend}
      </legend>
      <p className="hint" id={`${name}-hint`}>
        {hint}
      </p>
      <div className="date-parts">
        {order.map((part) => (
          <label key={part} className={part}>
            <span>{t(part)}</span>
            <input
              inputMode="numeric"
              autoComplete="off"
              data-keys="digits"
              maxLength={part === "year" ? 4 : 2}
              aria-label={`${legend} ${t(part)}`}
              aria-invalid={wrong}
              value={value[part]}
              onChange={(event) => onChange({ ...value, [part]: event.target.value.replace(/\D/g, "") })}
            />
          </label>
        ))}
      </div>
      {wrong && (
        <p className="wrong" role="alert">
          {t("cardDateWrong")}
        </p>
      )}
    </fieldset>
  );
}

/** The key of the chip is typed, then the card is put down and read; this desk's own reader does it. */
export function Card({ visit, view }: ScreenProps) {
  const { t } = useWords();
  const [number, setNumber] = useState("");
  const [birth, setBirth] = useState(NO_DATE);
  const [expiry, setExpiry] = useState(NO_DATE);
  const [tried, setTried] = useState(false);
  const reading = useAction();
  const form = useRef<HTMLFormElement>(null);
  const typed = number.toUpperCase().replace(/[\s-]/g, "");
  const wrong = {
    number: tried && !NUMBER_PATTERN.test(typed),
    birth: tried && isoDate(birth) === null,
    expiry: tried && isoDate(expiry) === null,
  };

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    const date_of_birth = isoDate(birth);
    const date_of_expiry = isoDate(expiry);
    if (NUMBER_PATTERN.test(typed) && date_of_birth !== null && date_of_expiry !== null) {
      const access: CardAccess = {
        document_number: typed,
        date_of_birth,
        date_of_expiry,
        fingers: view.asks_finger === "compare",
      };
      void reading.run(() => visit.readCard(access));
    } else {
      const first = !NUMBER_PATTERN.test(typed) ? "document-number" : date_of_birth === null ? "birth" : "expiry";
      form.current?.querySelector<HTMLElement>(`#${first}, [name="${first}"] input`)?.focus();
    }
  };

  if (reading.busy) {
    return <Reading />;
  }
  return (
    <form ref={form} className="split" onSubmit={submit} noValidate>
      <div className="stage">
        <ScreenTitle>{t("cardTitle")}</ScreenTitle>
        <p className="lead">{t("cardWhy")}</p>
        <CardDrawing label={t("cardDrawing")} />
      </div>
      <div className="deck">
        <Problem of={reading.problem} />
        <div className="field">
          <label htmlFor="document-number">
            <Spot number={1} /> {t("cardNumber")}
          </label>
          <p className="hint" id="document-number-hint">
            {t("cardNumberHint")}
          </p>
          <input
            id="document-number"
            className="code"
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
            maxLength={30}
            data-keys="letters"
            aria-describedby="document-number-hint"
            aria-invalid={wrong.number}
            value={number}
            onChange={(event) => setNumber(event.target.value.toUpperCase())}
          />
          {wrong.number && (
            <p className="wrong" role="alert">
              {t("cardNumberWrong")}
            </p>
          )}
        </div>
        <div className="dates">
          <DateField
            name="birth"
            spot={2}
            legend={t("cardBirth")}
            hint={t("cardBirthHint")}
            value={birth}
            wrong={wrong.birth}
            onChange={setBirth}
          />
          <DateField
            name="expiry"
            spot={3}
            legend={t("cardExpiry")}
            hint={t("cardExpiryHint")}
            value={expiry}
            wrong={wrong.expiry}
            onChange={setExpiry}
          />
        </div>
        <div className="actions">
          <Button kind="primary" submit icon="card">
            {t("cardRead")}
          </Button>
        </div>
      </div>
    </form>
  );
}

/** From "put it down" to "checked", polled from this desk. */
function Reading() {
  const { t, say } = useWords();
  const door = useDoor();
  const refresh = door.channel === "kiosk" ? door.refreshDesk : null;
  useEffect(() => {
    if (refresh === null) {
      return;
    }
    void refresh();
    const timer = setInterval(() => void refresh(), POLL_EVERY_MS);
    return () => clearInterval(timer);
  }, [refresh]);
  const desk = door.channel === "kiosk" ? door.desk : null;
  const step = desk?.card_step ?? "waiting_for_card";
  const at = CARD_STEPS.indexOf(step);
  const waiting = step === "waiting_for_card";
  const faulty = desk !== null && (desk.reader === "no_reader" || desk.reader === "no_service");
  return (
    <>
      <div className="stage">
        <ScreenTitle>{t(waiting ? "cardPutTitle" : "cardReadingTitle")}</ScreenTitle>
        <p className="lead">{t(waiting ? "cardPutText" : "cardKeep")}</p>
        <div className="put-card" data-waiting={waiting} aria-hidden="true">
          <span className="put-card-card" />
          <span className="put-card-reader" />
        </div>
        {faulty && desk && (
          <Notice tone="warn" urgent>
            <p>{say(readerWords[desk.reader])}</p>
          </Notice>
        )}
      </div>
      <div className="deck">
        <Progress label={t("cardProgress")} value={at / CARD_STEPS.length} />
        <ol className="ladder" aria-live="polite">
          {CARD_STEPS.map((one, place) => (
            <li key={one} data-place={place < at ? "past" : place === at ? "now" : "later"}>
              <Icon name={place < at ? "check" : place === at ? "clock" : "dash"} />
              <span>{say(cardStepWords[one])}</span>
            </li>
          ))}
        </ol>
      </div>
    </>
  );
}
