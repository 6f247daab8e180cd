"""One signed contract for all who only read it."""

import pytest

from counter_server.signing.errors import FontsMissingError
from counter_server.signing.fonts import load_fonts
from tests.counter_server.signing.contracts import Contract, make_contract


@pytest.fixture(scope="session")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    try:
        load_fonts()
    except FontsMissingError as error:
        pytest.skip(str(error))
    return make_contract(tmp_path_factory.mktemp("keys"))
