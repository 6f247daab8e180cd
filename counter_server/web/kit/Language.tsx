import type { Language } from "../../../webrtc/web/wire";
import { useWords } from "./words";

/** Each language calls itself by its own name, so that whoever needs it can read it. */
const ownNames: Record<Language, string> = { zh: "中文", en: "English" };

interface SwitchProps {
  readonly onChoose: (language: Language) => void;
}

/** Always in sight. */
export function LanguageSwitch({ onChoose }: SwitchProps) {
  const { t, language } = useWords();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for form answers; these two act at once
    <div className="languages" role="group" aria-label={t("language")}>
      {(["zh", "en"] as const).map((one) => (
        <button
          key={one}
          type="button"
          lang={one === "zh" ? "zh-CN" : "en"}
          aria-pressed={one === language}
          onClick={() => onChoose(one)}
        >
          {ownNames[one]}
        </button>
      ))}
    </div>
  );
}
