"""Photographs of two people, out of the source distribution of face-recognition 1.3.0, pinned by hash.

They are fetched by pip from whatever registry this machine uses, kept in .cache/photographs and never in the
repository. COUNTER_PHOTOGRAPHS names a folder that has them already.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PINNED = Path(__file__).with_suffix(".txt")
INSIDE = "/tests/test_images/"


class PhotographsError(Exception):
    """The photographs could not be had; the message says what to do."""


def photograph(name: str) -> Path:
    """A picture such as `obama.jpg` (one face, 800 px or more) on this disk.

    Raises:
        PhotographsError: it cannot be fetched, or there is none of that name.
    """
    named = os.environ.get("COUNTER_PHOTOGRAPHS", "")
    folder = Path(named) if named else REPOSITORY / ".cache" / "photographs"
    if not (folder / name).exists() and not named:
        fetch(folder)
    if not (folder / name).exists():
        raise PhotographsError(f"there is no photograph {name} in {folder}")
    return folder / name


def fetch(folder: Path) -> None:
    """Download the pinned distribution and unpack its pictures, each into place by rename.

    Raises:
        PhotographsError: pip failed, for example because no registry is in reach.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as unpacking:
        words = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
        # no build isolation: pip asks the package for its name with the setuptools we have, and fetches nothing more
        words += ["--no-binary", ":all:", "--no-build-isolation", "--require-hashes", "-r", str(PINNED)]
        done = subprocess.run([*words, "-d", unpacking], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no words"])[-1]
            raise PhotographsError(
                f"pip could not fetch the test photographs ({last}). Set COUNTER_PHOTOGRAPHS to a folder with "
                "tests/test_images of face-recognition 1.3.0."
            )
        for archive in Path(unpacking).glob("*.tar.gz"):
            unpack(archive, folder)


def unpack(archive: Path, folder: Path) -> None:
    """Copy the pictures out of the archive under their last names only."""
    with tarfile.open(archive) as packed:
        for member in packed:
            content = packed.extractfile(member) if INSIDE in f"/{member.name}" and member.isfile() else None
            if content is not None:
                part = folder / f".{Path(member.name).name}.part"
                part.write_bytes(content.read())
                part.replace(folder / Path(member.name).name)
