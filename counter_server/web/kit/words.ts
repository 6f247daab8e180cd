/**
 * Every visible string of the three pages goes through `t("…")`, and the language is one value for the whole page.
 */
import { createContext, useCallback, useContext, useState } from "react";
import { LANGUAGES, type Language, type Text } from "../../../webrtc/web/wire";
import { callWords } from "./words/call";
import { clerkWords } from "./words/clerk";
import { customerWords } from "./words/customer";
import { identityWords } from "./words/identity";
import { phoneKeyWords } from "./words/phoneKey";

const wordbook = { ...customerWords, ...identityWords, ...callWords, ...clerkWords, ...phoneKeyWords };

export type Word = keyof typeof wordbook;
export type Values = Readonly<Record<string, string | number>>;

export const LanguageContext = createContext<Language>("zh");

export interface Words {
  readonly language: Language;
  /** One of the pages' own strings, with `{name}` filled in. */
  readonly t: (word: Word, values?: Values) => string;
  /** A text that came from the counter in every language. */
  readonly say: (text: Text) => string;
}

/** The string in one language, with `{name}` filled in. */
export function inWords(language: Language, word: Word, values: Values = {}): string {
  return wordbook[word][language].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The present language and its words. */
export function useWords(): Words {
  const language = useContext(LanguageContext);
  return {
    language,
    t: (word, values) => inWords(language, word, values),
    say: (text) => text[language],
  };
}

/** Chinese when the browser asks for it first; English otherwise. A kiosk starts in Chinese by its own setting. */
export function browserLanguage(): Language {
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

const LANGUAGE_AS = "counter.language";

/** The language this customer chose in this tab, also after a reload; wiped with everything else. */
export function useChosenLanguage(first: Language): readonly [Language, (language: Language) => void] {
  const [language, setLanguage] = useState<Language>(
    () => LANGUAGES.find((known) => known === sessionStorage.getItem(LANGUAGE_AS)) ?? first,
  );
  const choose = useCallback((next: Language): void => {
    sessionStorage.setItem(LANGUAGE_AS, next);
    setLanguage(next);
  }, []);
  return [language, choose];
}

/** Tell browser and screen reader which language the page now speaks. */
export function announceLanguage(language: Language, title: Word): void {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = inWords(language, title);
}
