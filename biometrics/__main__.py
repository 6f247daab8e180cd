"""`python -m biometrics`: what this machine can compare faces with, or the one line that says what is missing."""

import sys

from biometrics.errors import BiometricsError
from biometrics.face.engines import open_engine

UNUSABLE = 2


def main() -> int:
    """Open the engine that the environment chooses; 0 when it can be used."""
    try:
        engine = open_engine()
        # late: it needs NumPy, whose absence the engine has told by then
        from biometrics.face.texture import passive_from  # noqa: PLC0415

        passive = passive_from()
    except BiometricsError as error:
        print(f"biometrics: {error}", file=sys.stderr)
        return UNUSABLE
    print(f"faces: {engine.id} ({engine.version})")
    if passive is not None:
        print(f"passive: {passive.detector.id}, {'told only' if passive.accept_from is None else 'calibrated'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
