"""The four font files documents are set in, and nothing else the machine may have.

A document must come out the same everywhere, so fonts are taken by path, hashed, and shown to typst alone: with the
system's fonts in reach, a missing glyph would be taken from whatever is installed.
"""

import atexit
import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import typst

from counter_server.signing.errors import FontsMissingError

CJK_FOLDER = Path("/usr/share/fonts/opentype/noto")  # Debian and Ubuntu: fonts-noto-cjk
LATIN_FOLDER = Path("/usr/share/fonts/truetype/noto")  # fonts-noto-core; Noto Sans CJK lacks Ł and ş
FONT_FILES: tuple[tuple[str, Path], ...] = (
    ("fonts-noto-cjk", CJK_FOLDER / "NotoSansCJK-Regular.ttc"),
    ("fonts-noto-cjk", CJK_FOLDER / "NotoSansCJK-Bold.ttc"),
    ("fonts-noto-core", LATIN_FOLDER / "NotoSans-Regular.ttf"),
    ("fonts-noto-core", LATIN_FOLDER / "NotoSans-Bold.ttf"),
)


@dataclass(frozen=True, slots=True)
class PrintFonts:
    """Loaded fonts. Make one per process and keep it: loading takes a tenth of a second."""

    fonts: typst.Fonts
    sha256: dict[str, str]  # by file name


def load_fonts(files: tuple[tuple[str, Path], ...] = FONT_FILES) -> PrintFonts:
    """The documents' fonts; `FontsMissingError` names the package to install."""
    for package, path in files:
        if not path.is_file():
            raise FontsMissingError(f"{path.name} is missing: apt install {package}")
    # typst takes folders only, and reads the files when it needs a glyph: links that stay as long as the process
    folder = Path(tempfile.mkdtemp(prefix="counter-fonts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    hashes: dict[str, str] = {}
    for _, path in files:
        (folder / path.name).symlink_to(path)
        with path.open("rb") as file:
            hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)])
    return PrintFonts(fonts, hashes)
