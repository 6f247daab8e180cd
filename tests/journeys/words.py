"""The pages' own strings, read from their source, so that a journey finds things by the name a person reads."""

import re
from functools import cache

from tests.journeys.programs import REPOSITORY

WORDS = REPOSITORY / "counter_server" / "web" / "kit" / "words"
STRING = r'"((?:[^"\\]|\\.)*)"'
ENTRY = re.compile(rf"^  (\w+): \{{\s*zh: {STRING},\s*en: {STRING},?\s*\}},", re.MULTILINE)


@cache
def wordbook(language: str) -> dict[str, str]:
    """Key of `t("…")` to the string in `zh` or `en`; from the customer's, the call's and the clerk's words."""
    found = {}
    for name in ("customer.ts", "identity.ts", "call.ts", "clerk.ts", "phoneKey.ts"):
        for key, zh, en in ENTRY.findall((WORDS / name).read_text("utf-8")):
            found[key] = (zh if language == "zh" else en).replace('\\"', '"')
    return found


def say(language: str, key: str, **values: str | int) -> str:
    """One string with `{name}` filled in; `KeyError` when the pages have no such word."""
    text = wordbook(language)[key]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text
