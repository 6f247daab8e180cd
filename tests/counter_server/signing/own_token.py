"""A SoftHSM 2 token for one file of tests."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from counter_server.config import SigningSettings
from tests.counter_server.signing import softhsm


@contextmanager
def own_token(folder: Path) -> Iterator[SigningSettings]:
    """Settings of a counter that keeps its keys there; without SoftHSM the tests are skipped.

    The library reads where its tokens are once per process, so the tests of a file share one.
    """
    library = softhsm.module()
    if library is None or shutil.which("softhsm2-util") is None:
        pytest.skip("wants SoftHSM 2 (apt install softhsm2)")
    configuration, made = softhsm.make_token(folder, library)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(softhsm.CONFIGURATION, str(configuration))
        yield made
