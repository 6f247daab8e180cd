import { type FormEvent, useId, useState } from "react";
import { Button, Problem, useAction } from "../kit/parts";
import { passkeysWork } from "../kit/passkeys";
import { useWords } from "../kit/words";
import type { ClerkDesk } from "./desk";

/** How many keys the clerk has, and a way to register one. */
export function Passkeys({ desk }: { readonly desk: ClerkDesk }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const count = desk.clerk?.passkeys ?? 0;
  if (!passkeysWork()) {
    return null;
  }
  return (
    <section className="panel" aria-label={t("passkeysTitle")}>
      <h2>{t("passkeysTitle")}</h2>
      <p className="hint">{count === 0 ? t("passkeysNone") : t("passkeysSome", { n: count })}</p>
      {open ? (
        <Registering desk={desk} onDone={() => setOpen(false)} />
      ) : (
        <Button onPress={() => setOpen(true)}>{t("passkeyAdd")}</Button>
      )}
    </section>
  );
}

function Registering({ desk, onDone }: { readonly desk: ClerkDesk; readonly onDone: () => void }) {
  const { t } = useWords();
  const id = useId();
  const [password, setPassword] = useState("");
  const registering = useAction();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void registering.run(() => desk.registerPasskey(password)).then((done) => done && onDone());
  };
  return (
    <form onSubmit={submit}>
      <p className="hint">{t("passkeyAddText")}</p>
      <div className="field">
        <label htmlFor={id}>{t("password")}</label>
        <input
          id={id}
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </div>
      <Problem of={registering.problem} here={{ wrong_login: t("passwordWrong") }} />
      <div className="actions">
        <Button kind="primary" submit disabled={registering.busy || password === ""}>
          {t("passkeyAdd")}
        </Button>
      </div>
    </form>
  );
}
