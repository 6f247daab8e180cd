"""`python -m biometrics [faces | fingers]`: what this machine can compare, or one line of what is missing."""

import argparse
import sys

from biometrics.errors import BiometricsError
from biometrics.face.engines import open_engine
from biometrics.fingerprint.opening import open_extractor

UNUSABLE = 2


def main(arguments: list[str] | None = None) -> int:
    """Open what was asked for, faces with the engine that the environment chooses; 0 when it can be used."""
    parser = argparse.ArgumentParser(prog="biometrics", description="Whether this machine can compare, and by what")
    parser.add_argument("what", nargs="?", choices=["faces", "fingers"], default="faces")
    options = parser.parse_args(arguments)
    try:
        lines = _fingers() if options.what == "fingers" else _faces()
    except BiometricsError as error:
        print(f"biometrics: {error}", file=sys.stderr)
        return UNUSABLE
    for line in lines:
        print(line)
    return 0


def _faces() -> list[str]:
    engine = open_engine()
    # late: it needs NumPy, whose absence the engine has told by then
    from biometrics.face.texture import passive_from  # noqa: PLC0415

    lines, passive = [f"faces: {engine.id} ({engine.version})"], passive_from()
    if passive is not None:
        decides = passive.accept_from is not None and passive.refuses
        lines.append(f"passive: {passive.detector.id}, {'calibrated' if decides else 'told only'}")
    return lines


def _fingers() -> list[str]:
    extractor = open_extractor()
    return [f"fingers: {extractor.id} ({extractor.version})"]


if __name__ == "__main__":
    sys.exit(main())
