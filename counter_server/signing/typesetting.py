"""Typst with our fonts, our templates, a fixed date, an archival standard, and values only as JSON.

Values never become part of a template's text, so nothing a customer types is ever read as typst. PDF/A-3a is chosen
because it refuses what it cannot print (plain PDF drops the glyph silently) and allows attachments later.
"""

import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Literal

import typst

from counter_server.signing.errors import RenderingError, UnprintableError
from counter_server.signing.fonts import PrintFonts

TEMPLATES = Path(__file__).parent / "templates"
STANDARD: Literal["a-3a"] = "a-3a"
NO_GLYPH = "could not be displayed"  # typst 0.15, PDF/A export
# control, format (bidi overrides, zero widths), unassigned, private, surrogate, line and paragraph separators:
# characters that print as nothing or turn the order of others around have no place in what somebody signs
UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
# chosen shapes of a name that our fonts would print as the plain character, silently
VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x180B, 0x180E))
PROBE = b"""
#set text(font: ("Noto Sans", "Noto Sans CJK SC"), fallback: false, lang: "zh", region: "cn")
#set document(title: "probe")
#text(json(bytes(sys.inputs.at("data"))))
#text(weight: "bold", json(bytes(sys.inputs.at("data"))))
"""


def typeset(template: str, values: Mapping[str, object], day: date, fonts: PrintFonts) -> bytes:
    """A PDF/A-3a of a template; the same values give the same bytes.

    Raises:
        UnprintableError: A glyph is missing; without a field, because only `first_unprintable` knows which.
        RenderingError: The template and the values do not fit each other.
    """
    return _compile((TEMPLATES / f"{template}.typ").read_bytes(), values, day, fonts)


def first_unprintable(values: Mapping[str, str], fonts: PrintFonts) -> str | None:
    """Name of the first value with a character that would not be seen exactly as it is; None when all can be printed.

    Typst itself is asked, value by value (2 ms each), so the answer cannot differ from the document's.
    """
    for field, value in values.items():
        if any(_is_unseen(character) for character in value) or not _has_glyphs(value, fonts):
            return field
    return None


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in UNSEEN or any(ord(character) in span for span in VARIATION_SELECTORS)


def _has_glyphs(value: str, fonts: PrintFonts) -> bool:
    try:
        _compile(PROBE, value, date(2000, 1, 1), fonts)
    except UnprintableError:
        return False
    return True


def _compile(source: bytes, values: object, day: date, fonts: PrintFonts) -> bytes:
    midnight = datetime.combine(day, time(), UTC)
    compiler = typst.Compiler(root=TEMPLATES, font_paths=fonts.fonts, ignore_system_fonts=True)
    try:
        pdf = compiler.compile(
            source,
            format="pdf",
            sys_inputs={"data": json.dumps(values, ensure_ascii=False)},
            pdf_standards=[STANDARD],
            timestamp=midnight,
        )
    except typst.TypstError as error:
        if NO_GLYPH in error.message:
            raise UnprintableError("") from error
        raise RenderingError(_without_values(error)) from error
    if not isinstance(pdf, bytes):
        raise RenderingError("typst gave no document")
    return pdf


def _without_values(error: typst.TypstError) -> str:
    # typst quotes what it stumbled over, and that may be somebody's name
    plain = error.message.partition("`")[0].partition(chr(34))[0]
    return f"typst: {plain.strip()}"
