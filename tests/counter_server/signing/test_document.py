"""What a customer signs: printed exactly, or refused with the field's name."""

import hashlib
import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest
from PIL import Image

from counter_server.signing.document import DOCUMENT_TEMPLATES, LANGUAGES, FormRow, render_document
from counter_server.signing.errors import FontsMissingError, TemplateUnknownError, UnprintableError
from counter_server.signing.fonts import PrintFonts, load_fonts
from counter_server.signing.pages import page_png
from tests.counter_server.signing.builders import document_values

# U+2CB4E (GB 18030-2022 level 2 name character), U+20BB7, U+4DAE, U+3BA1, Polish and Turkish letters
RARE = "𬭎𠮷䶮㮡 Łukasz Şahin Nguyễn"


@pytest.fixture(scope="module")
def fonts() -> PrintFonts:
    try:
        return load_fonts()
    except FontsMissingError as error:
        pytest.skip(str(error))


def printed_text(pdf: bytes, tmp_path: Path) -> str:
    """What poppler, which is not ours, reads from the page."""
    path = tmp_path / "document.pdf"
    path.write_bytes(pdf)
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("template", DOCUMENT_TEMPLATES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_document_prints_rare_names_as_they_are(
    fonts: PrintFonts, tmp_path: Path, template: str, language: str
) -> None:
    document = render_document(template, language, document_values(name=RARE), fonts)
    text = printed_text(document.pdf, tmp_path)
    for word in (*RARE.split(), "R-20261121-7K3M9Q2X", "E12345678", "500000", "2026-11-21"):
        assert word in text
    assert document.sha256 == hashlib.sha256(document.pdf).hexdigest()
    assert document.pages == (2 if template in ("replace-card", "raise-limit") else 1)


@pytest.mark.parametrize("template", DOCUMENT_TEMPLATES)
def test_a_document_promises_neither_passkey_nor_password_alone(
    fonts: PrintFonts, tmp_path: Path, template: str
) -> None:
    for language, passkey, password in (("zh", "通行密钥", "登录口令"), ("en", "passkey", "password")):
        text = printed_text(render_document(template, language, document_values(), fonts).pdf, tmp_path)
        words = "".join(text.split())  # lines may break within a word
        assert passkey in words
        assert password in words


def test_a_document_is_archival_and_embeds_only_our_fonts(fonts: PrintFonts, tmp_path: Path) -> None:
    document = render_document("raise-limit", "zh", document_values(name=RARE), fonts)
    reader = pypdf.PdfReader(io.BytesIO(document.pdf))
    root = reader.root_object
    metadata = root["/Metadata"].get_object().get_data()  # type: ignore[union-attr]  # it is a stream
    assert b"<pdfaid:part>3</pdfaid:part>" in metadata
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert root["/MarkInfo"]["/Marked"]  # type: ignore[index]  # a dictionary in every tagged PDF
    (tmp_path / "d.pdf").write_bytes(document.pdf)
    listed = subprocess.run(["pdffonts", str(tmp_path / "d.pdf")], capture_output=True, check=True, text=True).stdout
    lines = listed.splitlines()[2:]
    assert lines
    for line in lines:
        name, *columns = line.split()
        assert name.partition("+")[2].startswith("NotoSans")
        assert columns[-5:-2] == ["yes", "yes", "yes"]  # embedded, subset, with Unicode map
    assert document.font_sha256 == fonts.sha256


def test_the_same_values_give_the_same_bytes(fonts: PrintFonts) -> None:
    first = render_document("replace-card", "en", document_values(), fonts)
    assert render_document("replace-card", "en", document_values(), load_fonts()).pdf == first.pdf
    assert render_document("replace-card", "en", document_values(purpose="学费。"), fonts).sha256 != first.sha256


UNPRINTABLE = {
    "last code point of a private plane": "\U0010fffd",
    "private use": "\ue000",
    "Thai": "สมชาย",
    "Arabic": "محمد",
    "Tangut": "𗀀",
    "emoji": "李😀",
    "bidi override": "abc\u202edef",
    "zero width space": "a\u200bb",
    "variation of a glyph": "葛\U000e0100",
    "line break": "a\nb",
    "escape": "\x1b[2J",
    "noncharacter": "\uffff",
}


@pytest.mark.parametrize("kind", UNPRINTABLE)
def test_what_cannot_be_printed_is_refused_by_its_fields_name(fonts: PrintFonts, kind: str) -> None:
    bad = UNPRINTABLE[kind]
    with pytest.raises(UnprintableError) as refused:
        render_document("raise-limit", "zh", document_values(purpose=bad), fonts)
    assert refused.value.field == "purpose"
    assert bad not in str(refused.value)
    with pytest.raises(UnprintableError) as refused:
        render_document("raise-limit", "zh", document_values(name=bad, purpose=bad), fonts)
    assert refused.value.field == "holder_name"


def test_what_a_customer_types_is_never_read_as_typst(fonts: PrintFonts, tmp_path: Path) -> None:
    typed = '#panic("x") $x^2$ *b* \\ "q" <a> @b //c #read("/etc/passwd")'
    values = replace(document_values(), rows=(FormRow("purpose", "Purpose", typed),))
    text = printed_text(render_document("raise-limit", "en", values, fonts).pdf, tmp_path)
    assert "".join(typed.split()) in "".join(text.split())


def test_a_holder_no_chip_proved_is_said_so(fonts: PrintFonts, tmp_path: Path) -> None:
    values = replace(document_values(), holder_name=None, holder_document=None)
    assert printed_text(render_document("change-address", "en", values, fonts).pdf, tmp_path).count("not proven") == 2


def test_a_confirmation_says_how_it_was_signed(fonts: PrintFonts, tmp_path: Path) -> None:
    alone = render_document("change-address", "en", document_values(self_service=True), fonts)
    served = render_document("change-address", "en", document_values(self_service=False), fonts)
    assert "no handwritten signature" in printed_text(alone.pdf, tmp_path)
    assert "clerk then countersigns" in printed_text(served.pdf, tmp_path)


def test_an_unknown_template_is_refused(fonts: PrintFonts) -> None:
    with pytest.raises(TemplateUnknownError):
        render_document("../frame", "en", document_values(), fonts)


def test_missing_fonts_name_the_package() -> None:
    with pytest.raises(FontsMissingError, match="apt install fonts-noto-cjk"):
        load_fonts((("fonts-noto-cjk", Path("nowhere/NotoSansCJK-Regular.ttc")),))


def test_a_page_picture_shows_ink_at_the_asked_width(fonts: PrintFonts) -> None:
    document = render_document("raise-limit", "zh", document_values(), fonts)
    picture = Image.open(io.BytesIO(page_png(document.pdf, 2, 800)))
    assert picture.width == 800
    assert abs(picture.height / picture.width - 297 / 210) < 0.01
    low, high = picture.convert("L").getextrema()
    assert (low, high) != (255, 255)
    for page in (0, 3):
        with pytest.raises(TemplateUnknownError):
            page_png(document.pdf, page, 800)
