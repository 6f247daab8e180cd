"""The console's Chinese keeps up with what the checks say in English."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.journeys.programs import REPOSITORY
from tests.journeys.words import WORDS

CHECKS = REPOSITORY / "hardware_drivers" / "id_chip"
WHY_PLACE = {"passed": 1, "failed": 2, "undecided": 2}  # hardware_drivers/id_chip/checks.py
PATTERN = re.compile(r"\[\s*/(\^.*?\$)/,\s*\"", re.DOTALL)


def spoken(node: ast.expr) -> str | None:
    """A string as it may come out, with 14 wherever something is filled in; None when it is no string."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "14" for part in parts)
        case _:
            return None


def sentences() -> Iterator[str]:
    """Every reason written into the checks of a chip."""
    for file in sorted(CHECKS.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            why: ast.expr | None = None
            match node:
                case ast.Call(func=ast.Name(id=name), args=arguments) if len(arguments) > WHY_PLACE.get(name, 99):
                    why = arguments[WHY_PLACE[name]]
                case ast.Assign(targets=[ast.Name(id="why")], value=value):
                    why = value
                case _:
                    pass
            text = spoken(why) if why is not None else None
            if text is not None:
                yield text


@pytest.mark.parametrize("sentence", sorted(set(sentences())))
def test_a_reason_of_a_chip_check_has_chinese_words(sentence: str) -> None:
    patterns = PATTERN.findall((WORDS / "reasons.ts").read_text("utf-8"))
    assert any(re.match(pattern, sentence) for pattern in patterns)
