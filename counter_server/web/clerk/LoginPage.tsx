import { type FormEvent, useState } from "react";
import { Button, Problem, ScreenTitle, useAction } from "../kit/parts";
import { passkeysWork } from "../kit/passkeys";
import { useWords } from "../kit/words";
import type { ClerkDesk } from "./desk";

export function LoginPage({ desk }: { readonly desk: ClerkDesk }) {
  const { t } = useWords();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const entering = useAction();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void entering.run(() => desk.login({ username, password }));
  };
  return (
    <form className="login" onSubmit={submit}>
      <ScreenTitle>{t("loginTitle")}</ScreenTitle>
      <p className="hint">{t("loginText")}</p>
      <Problem of={entering.problem} />
      <div className="field">
        <label htmlFor="username">{t("username")}</label>
        <input
          id="username"
          autoComplete="username"
          required
          value={username}
          onChange={(event) => setUsername(event.target.value)}
        />
      </div>
      <div className="field">
        <label htmlFor="password">{t("password")}</label>
        <input
          id="password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </div>
      <div className="actions">
        <Button kind="primary" submit disabled={entering.busy}>
          {t("login")}
        </Button>
        {passkeysWork() && (
          <Button disabled={entering.busy} onPress={() => void entering.run(() => desk.loginByPasskey())}>
            {t("loginPasskey")}
          </Button>
        )}
      </div>
    </form>
  );
}
