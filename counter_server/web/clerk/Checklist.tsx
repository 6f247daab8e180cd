import { useState } from "react";
import type { ChecklistItem, CheckOutcome } from "../../../webrtc/web/wire";
import { Button, Problem, useAction } from "../kit/parts";
import { useWords } from "../kit/words";
import { outcomeWords } from "../kit/words/states";
import type { ClerkDesk } from "./desk";

interface ChecklistProps {
  readonly desk: ClerkDesk;
  readonly items: readonly ChecklistItem[];
  readonly complete: boolean;
  readonly closed: boolean;
}

/** What must be looked at, asked or said; it gates the document. */
export function Checklist({ desk, items, complete, closed }: ChecklistProps) {
  const { t } = useWords();
  const open = items.filter((item) => item.outcome === null).length;
  const failed = items.filter((item) => item.outcome === "failed").length;
  return (
    <section className="panel">
      <div className="panel-head">
        <h2>{t("checklistTitle")}</h2>
        <p className="hint" id="checklist-state" role="status">
          {complete
            ? t("checklistDone")
            : failed > 0
              ? t("checklistFailed", { n: failed })
              : t("checklistOpen", { n: open })}
        </p>
      </div>
      <ol className="checklist">
        {items.map((item) => (
          <Item key={item.item_id} desk={desk} item={item} closed={closed} />
        ))}
      </ol>
    </section>
  );
}

function Item({
  desk,
  item,
  closed,
}: {
  readonly desk: ClerkDesk;
  readonly item: ChecklistItem;
  readonly closed: boolean;
}) {
  const { t, say } = useWords();
  const [note, setNote] = useState(item.note);
  const saving = useAction();
  const text = say(item.text);
  if (closed) {
    return (
      <li data-outcome={item.outcome ?? "open"} data-item={item.item_id}>
        <p>{t("colon", { name: text, value: item.outcome ? say(outcomeWords[item.outcome]) : t("itemOpen") })}</p>
        {item.note && <p className="hint">{item.note}</p>}
      </li>
    );
  }
  const save = (outcome: CheckOutcome): void => {
    void saving.run(() => desk.checkItem(item.item_id, outcome, note));
  };
  return (
    <li data-outcome={item.outcome ?? "open"} data-item={item.item_id}>
      <p>{text}</p>
      <div className="item-act">
        <Button
          label={t("passItem", { text })}
          icon="check"
          pressed={item.outcome === "passed"}
          onPress={() => save("passed")}
        >
          {t("pass")}
        </Button>
        <Button
          label={t("failItem", { text })}
          icon="cross"
          pressed={item.outcome === "failed"}
          onPress={() => save("failed")}
        >
          {t("fail")}
        </Button>
        <input
          aria-label={t("noteFor", { text })}
          placeholder={t("note")}
          maxLength={400}
          value={note}
          onChange={(event) => setNote(event.target.value)}
          onBlur={() => {
            if (item.outcome !== null && note !== item.note) {
              save(item.outcome);
            }
          }}
        />
      </div>
      <Problem of={saving.problem} />
    </li>
  );
}
