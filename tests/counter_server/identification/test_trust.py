from pathlib import Path

import pytest

from counter_server.errors import StoppedError
from counter_server.identification.trust import describe_lists, import_trust, load_trust
from tests.hardware_drivers.authorities import Authority
from tests.hardware_drivers.cards import ID_CARD_DATA, SPECIMENS_MISSING

UTOPIA = Authority.new()


def test_certificates_and_revocation_lists_are_taken(tmp_path: Path) -> None:
    (tmp_path / "utopia.cer").write_bytes(UTOPIA.der)
    (tmp_path / "utopia.crl").write_bytes(UTOPIA.crl({}))
    assert import_trust(tmp_path / "utopia.cer", tmp_path / "trust") == 1
    assert import_trust(tmp_path / "utopia.crl", tmp_path / "trust") == 1
    assert load_trust(tmp_path / "trust").revocations


def test_a_refused_file_leaves_what_was_there_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "utopia.cer").write_bytes(UTOPIA.der)
    import_trust(tmp_path / "utopia.cer", tmp_path / "trust")
    (tmp_path / "utopia.cer").write_bytes(b"\x30\x03\x02\x01")
    with pytest.raises(StoppedError, match=r"utopia\.cer"):
        import_trust(tmp_path / "utopia.cer", tmp_path / "trust")
    assert len(load_trust(tmp_path / "trust")) == 1


@pytest.mark.parametrize("name", ["readme.txt", "absent.cer"])
def test_a_file_that_is_no_issuer_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "readme.txt").write_text("no certificate")
    with pytest.raises(StoppedError, match=name):
        import_trust(tmp_path / name, tmp_path / "trust")


@pytest.mark.skipif(not ID_CARD_DATA.exists(), reason=SPECIMENS_MISSING)
def test_a_master_list_is_described_with_who_vouches_for_it(tmp_path: Path) -> None:
    assert import_trust(ID_CARD_DATA / "master_lists/NL_ML_2026-02-16.ml", tmp_path) == 392
    (line,) = describe_lists(tmp_path)
    assert line.startswith("NL_ML_2026-02-16.ml of 2026-02-16: 392 issuers, signed under a CSCA on the list itself")
