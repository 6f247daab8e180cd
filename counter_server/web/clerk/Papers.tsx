import { type FormEvent, useId, useState } from "react";
import type { ClerkVisit, DocumentView } from "../../../webrtc/web/wire";
import type { Api } from "../kit/api";
import { Icon } from "../kit/Icons";
import { useStill } from "../kit/Pictures";
import { Button, Patience, Problem, Sheet, useAction } from "../kit/parts";
import { useWords } from "../kit/words";
import type { ClerkDesk } from "./desk";

interface PapersProps {
  readonly api: Api;
  readonly visitId: string;
  readonly document: DocumentView;
}

/** The document's pages, each with whether the customer has seen it, and who has signed. */
export function Papers({ api, visitId, document }: PapersProps) {
  const { t, say } = useWords();
  const pages = Array.from({ length: document.pages }, (_, place) => place + 1);
  return (
    <section className="panel">
      <div className="panel-head">
        <h2>{say(document.title)}</h2>
        <p className="hint">{t("documentPages", { seen: document.seen_pages.length, all: document.pages })}</p>
      </div>
      <p className="signed" data-signed={document.signed_by_customer}>
        <Icon name={document.signed_by_customer ? "check" : "clock"} />
        {t(document.signed_by_customer ? "customerSigned" : "customerNotSigned")}
      </p>
      {document.signed_by_clerk && (
        <p className="signed" data-signed="true">
          <Icon name="check" />
          {t("clerkSigned")}
        </p>
      )}
      <ol className="pages">
        {pages.map((page) => (
          <Page key={`${document.sha256}-${page}`} api={api} visitId={visitId} document={document} page={page} />
        ))}
      </ol>
      <p className="hint hash">{t("documentHash", { hash: `${document.sha256.slice(0, 16)}…` })}</p>
    </section>
  );
}

function Page({ api, visitId, document, page }: PapersProps & { readonly page: number }) {
  const { t } = useWords();
  const still = useStill(api, `/api/console/visits/${visitId}/document/${page}.png?of=${document.sha256.slice(0, 16)}`);
  const [open, setOpen] = useState(false);
  const seen = document.seen_pages.includes(page);
  return (
    <li>
      <figure>
        {still.url === null ? (
          <Patience>{t("loading")}</Patience>
        ) : (
          <button
            type="button"
            className="page-open"
            aria-label={t("documentOpen", { n: page })}
            onClick={() => setOpen(true)}
          >
            <img src={still.url} alt={t("documentPage", { n: page })} />
          </button>
        )}
        <figcaption data-seen={seen}>
          {t("colon", { name: String(page), value: t(seen ? "pageSeen" : "pageUnseen") })}
        </figcaption>
      </figure>
      {open && still.url !== null && (
        <Sheet title={t("documentPage", { n: page })} onClose={() => setOpen(false)} wide>
          <div className="actions">
            <Button kind="primary" onPress={() => setOpen(false)}>
              {t("close")}
            </Button>
          </div>
          <img className="page-large" src={still.url} alt={t("documentPage", { n: page })} />
        </Sheet>
      )}
    </li>
  );
}

/** The clerk's own act, with a passkey or the password once more. */
export function CountersignForm({ desk, visit }: { readonly desk: ClerkDesk; readonly visit: ClerkVisit }) {
  const { t } = useWords();
  const id = useId();
  const [password, setPassword] = useState("");
  const signing = useAction();
  const byPasskey = (desk.clerk?.passkeys ?? 0) > 0;
  const document_sha256 = visit.document?.sha256 ?? "";
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void signing.run(async () => {
      await desk.countersign(document_sha256, password);
      setPassword("");
    });
  };
  return (
    <>
      <h2>{t("countersignTitle")}</h2>
      <p>{t(byPasskey ? "countersignPasskey" : "countersignText")}</p>
      <form className="inline-form" onSubmit={submit}>
        {!byPasskey && (
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
        )}
        <Button kind="primary" icon="sign" submit disabled={signing.busy || (password === "" && !byPasskey)}>
          {t("countersign")}
        </Button>
      </form>
      <Problem of={signing.problem} here={{ wrong_login: t("passwordWrong") }} />
    </>
  );
}
