/**
 * The kiosk's own keys, because a kiosk has no keyboard: they type into whichever field has the focus.
 *
 * Shown when a field is touched with a finger, or by its button; a real keyboard keeps working beside it.
 */
import { useEffect, useState } from "react";
import { Icon } from "../../counter_server/web/kit/Icons";
import { useWords } from "../../counter_server/web/kit/words";

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"] as const;
const MAIL_SIGNS = ["@", ".", "-", "_"] as const;
const LETTER_ROWS = ["QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM"] as const;

/** Put text into a field so that React hears of it. */
function type(field: HTMLInputElement, edit: (text: string) => string): void {
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set;
  const next = edit(field.value);
  if (field.maxLength < 0 || next.length <= field.maxLength) {
    set?.call(field, next);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

const fieldOf = (target: EventTarget | null): HTMLInputElement | null =>
  target instanceof HTMLInputElement && target.dataset["keys"] ? target : null;

interface KeysProps {
  readonly open: boolean;
  readonly onOpen: (open: boolean) => void;
}

export function Keys({ open, onOpen }: KeysProps) {
  const { t } = useWords();
  const [field, setField] = useState<HTMLInputElement | null>(null);
  useEffect(() => {
    const focused = (event: FocusEvent): void => {
      const next = fieldOf(event.target);
      if (next !== null) {
        setField(next);
        requestAnimationFrame(() => next.scrollIntoView({ block: "nearest" })); // after the keys have taken their room
      }
    };
    // at the click, not at the first touch: the keys move the page, and the focus would land on another field
    const touched = (event: PointerEvent): void => {
      if (event.pointerType === "touch" && fieldOf(event.target)) {
        onOpen(true);
      }
    };
    document.addEventListener("focusin", focused);
    document.addEventListener("click", touched);
    return () => {
      document.removeEventListener("focusin", focused);
      document.removeEventListener("click", touched);
    };
  }, [onOpen]);
  if (!open || field?.isConnected === false) {
    return null; // closed, or the screen with its fields has gone
  }
  const press = (key: string): void => {
    if (field?.isConnected) {
      type(field, (text) => text + key);
    }
  };
  const mail = field?.dataset["keys"] === "mail";
  const telephone = field?.dataset["keys"] === "telephone";
  const letters = mail || field?.dataset["keys"] === "letters";
  return (
    <section
      className="keys"
      aria-label={t("keyboard")}
      // the field keeps the focus while its keys are touched
      onPointerDown={(event) => event.preventDefault()}
    >
      <div className="keys-row">
        {DIGITS.map((key) => (
          <Key key={key} name={key} onPress={() => press(key)} />
        ))}
      </div>
      {letters &&
        LETTER_ROWS.map((row) => (
          <div className="keys-row" key={row}>
            {[...(mail ? row.toLowerCase() : row)].map((key) => (
              <Key key={key} name={key} onPress={() => press(key)} />
            ))}
          </div>
        ))}
      <div className="keys-row">
        {mail && MAIL_SIGNS.map((key) => <Key key={key} name={key} onPress={() => press(key)} />)}
        {telephone && <Key name="+" onPress={() => press("+")} />}
        {letters && !mail && <Key wide name={t("keySpace")} onPress={() => press(" ")} />}
        <Key wide name={t("keyDelete")} onPress={() => field && type(field, (text) => text.slice(0, -1))} />
        <Key wide name={t("keyHide")} onPress={() => onOpen(false)} />
      </div>
    </section>
  );
}

interface KeyProps {
  readonly name: string;
  readonly wide?: boolean;
  readonly onPress: () => void;
}

function Key({ name, wide, onPress }: KeyProps) {
  return (
    <button type="button" className={wide ? "key wide" : "key"} onClick={onPress}>
      {name}
    </button>
  );
}

/** Opens and closes the keys. */
export function KeysButton({ open, onOpen }: KeysProps) {
  const { t } = useWords();
  return (
    <button type="button" className="bar-button" aria-pressed={open} onClick={() => onOpen(!open)}>
      <Icon name="keyboard" />
      <span>{t("keyboard")}</span>
    </button>
  );
}
