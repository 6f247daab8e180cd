import { type FormEvent, useEffect, useRef, useState } from "react";
import type { FormField, VisitView } from "../../../../webrtc/web/wire";
import { type ScreenProps, useDoor } from "../door";
import { Button, Facts, Notice, Problem, ScreenTitle, useAction } from "../parts";
import { useWords, type Words } from "../words";
import { errorWords } from "../words/errors";
import { fingerNames } from "../words/instructions";

type Answers = Readonly<Record<string, string>>;

/** What is wrong with an answer, in words; null when nothing is. The counter checks again. */
function wrongWith(field: FormField, answer: string, { t }: Words): string | null {
  const text = answer.trim();
  if (text === "") {
    return field.required ? t("formMissing") : null;
  }
  switch (field.kind) {
    case "money": {
      if (!/^\d{1,12}$/.test(text)) {
        return t("formNumber");
      }
      const low = field.minimum ?? 0;
      const high = field.maximum ?? 999_999_999_999;
      return Number(text) < low || Number(text) > high ? t("formBetween", { low, high }) : null;
    }
    case "tel":
      return /^\+?[\d\s()-]{5,24}$/.test(text) ? null : t("formTel");
    case "email":
      return /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9.-]+\.[A-Za-z0-9-]{2,63}$/.test(text) ? null : t("formEmail");
    case "choice":
    case "text":
      return null;
  }
}

/** Which of the kiosk's keys a field wants. */
const keysOf: Readonly<Record<Exclude<FormField["kind"], "choice">, string>> = {
  text: "letters",
  email: "mail",
  tel: "telephone",
  money: "digits",
};

interface QuestionProps {
  readonly field: FormField;
  readonly answer: string;
  readonly wrong: string | null;
  readonly onAnswer: (answer: string) => void;
}

function Question({ field, answer, wrong, onAnswer }: QuestionProps) {
  const { t, say } = useWords();
  const phone = useDoor().channel === "phone";
  const id = `field-${field.name}`;
  const label = say(field.label) + (field.required ? "" : t("formOptional"));
  const described = [field.hint ? `${id}-hint` : "", wrong ? `${id}-wrong` : ""].filter(Boolean).join(" ");
  const below = (
    <>
      {field.hint && (
        <p className="hint" id={`${id}-hint`}>
          {say(field.hint)}
        </p>
      )}
      {wrong && (
        <p className="wrong" id={`${id}-wrong`} role="alert">
          {wrong}
        </p>
      )}
    </>
  );
  if (field.kind === "choice") {
    return (
      <fieldset className="field choices" aria-describedby={described || undefined}>
        <legend>{label}</legend>
        {below}
        {field.choices.map((choice) => (
          <label key={choice.value} className="choice">
            <input
              type="radio"
              name={field.name}
              value={choice.value}
              checked={answer === choice.value}
              onChange={() => onAnswer(choice.value)}
            />
            <span>{say(choice.label)}</span>
          </label>
        ))}
      </fieldset>
    );
  }
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {below}
      <input
        id={id}
        name={field.name}
        type={field.kind === "tel" ? "tel" : "text"} // a browser's own "email" would say what is wrong in its own words
        inputMode={field.kind === "money" ? "numeric" : field.kind}
        data-keys={keysOf[field.kind]}
        autoComplete={phone && field.kind === "email" ? "email" : "off"} // a kiosk is nobody's own
        autoCapitalize={field.kind === "email" ? "none" : undefined}
        spellCheck={false}
        maxLength={field.max_length}
        aria-describedby={described || undefined}
        aria-invalid={wrong !== null}
        aria-required={field.required}
        value={answer}
        onChange={(event) => onAnswer(event.target.value)}
      />
    </div>
  );
}

/** The service's questions. */
export function Form({ visit, view }: ScreenProps) {
  const words = useWords();
  const { t, say } = words;
  const [answers, setAnswers] = useState<Answers>(() => ({ ...view.values, ...visit.draft }));
  const [tried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const sending = useAction();

  const wrong = (field: FormField): string | null => {
    const mine = tried ? wrongWith(field, answers[field.name] ?? "", words) : null;
    const theirs = sending.problem?.field === field.name ? say(errorWords[sending.problem.code]) : null;
    return mine ?? theirs;
  };
  const answer = (name: string, text: string): void => {
    const next = { ...answers, [name]: text };
    setAnswers(next);
    visit.keepDraft(next);
    sending.forget();
  };
  const objected = sending.problem?.field ?? null;
  useEffect(() => {
    if (objected !== null) {
      form.current?.querySelector<HTMLElement>(`[name="${CSS.escape(objected)}"]`)?.focus();
    }
  }, [objected]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    const first = view.form.find((field) => wrongWith(field, answers[field.name] ?? "", words) !== null);
    if (first) {
      form.current?.querySelector<HTMLElement>(`[name="${CSS.escape(first.name)}"]`)?.focus();
      return;
    }
    const values: Record<string, string> = {};
    for (const field of view.form) {
      values[field.name] = (answers[field.name] ?? "").trim();
    }
    void sending.run(() => visit.submitForm(values));
  };

  return (
    <form ref={form} onSubmit={submit} noValidate>
      <div className="stage">
        <p className="eyebrow">{say(view.service_title)}</p>
        <ScreenTitle>{t("formTitle")}</ScreenTitle>
        {view.holder_name && <p className="lead">{t("formHello", { name: view.holder_name })}</p>}
        {view.face?.reasons.includes("document_tries") && (
          <Notice tone="info">
            <p>{t("faceByClerk")}</p>
          </Notice>
        )}
      </div>
      <div className="deck">
        {view.form.map((field) => (
          <Question
            key={field.name}
            field={field}
            answer={answers[field.name] ?? ""}
            wrong={wrong(field)}
            onAnswer={(text) => answer(field.name, text)}
          />
        ))}
        <Problem of={sending.problem?.field ? null : sending.problem} />
        <div className="actions">
          <Button kind="primary" submit disabled={sending.busy}>
            {t(sending.busy ? "busy" : view.route === "clerk" ? "formSendTicket" : "continue")}
          </Button>
        </div>
      </div>
    </form>
  );
}

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ",");

/** Names and answers of a form, readable. */
export function useFormFacts(
  form: VisitView["form"],
  values: VisitView["values"],
): readonly (readonly [string, string])[] {
  const { t, say } = useWords();
  return form.map((field) => {
    const value = values[field.name] ?? "";
    const choice = field.choices.find((one) => one.value === value);
    const shown = choice
      ? say(choice.label)
      : field.kind === "money" && value
        ? t("formYuan", { n: grouped(value) })
        : value;
    return [say(field.label), shown || "–"] as const;
  });
}

/** Low risk: once more in words, then it is done. */
export function Confirm({ visit, view }: ScreenProps) {
  const { t, say } = useWords();
  const { finger } = view;
  const enrolled = finger?.task === "enrol" ? fingerNames[finger.position] : undefined;
  const facts = [
    ...useFormFacts(view.form, view.values),
    ...(enrolled ? ([[t("fingerRegistered"), say(enrolled)]] as const) : []),
  ];
  const confirming = useAction();
  return (
    <>
      <div className="stage">
        <p className="eyebrow">{say(view.service_title)}</p>
        <ScreenTitle>{t("confirmTitle")}</ScreenTitle>
        <section className="sheet-card" aria-label={t("yourDetails")}>
          <Facts rows={facts} />
        </section>
      </div>
      <div className="deck">
        <Problem of={confirming.problem} />
        <div className="actions">
          <Button kind="primary" disabled={confirming.busy} onPress={() => void confirming.run(() => visit.confirm())}>
            {t(confirming.busy ? "busy" : "confirmYes")}
          </Button>
          {view.form.length > 0 ? (
            <Button disabled={confirming.busy} onPress={() => void confirming.run(() => visit.correct())}>
              {t("confirmChange")}
            </Button>
          ) : (
            <Button disabled={confirming.busy} onPress={() => void confirming.run(() => visit.cancel())}>
              {t("fingerStop")}
            </Button>
          )}
        </div>
      </div>
    </>
  );
}
