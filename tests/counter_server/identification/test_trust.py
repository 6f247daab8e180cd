import base64
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


def folded(attribute: str, content: bytes) -> str:
    """As the directory writes it: base64 over lines of 76 characters, the next ones begin with a space."""
    text = f"{attribute}:: {base64.b64encode(content).decode()}"
    return "\n ".join(text[at : at + 76] for at in range(0, len(text), 76))


@pytest.mark.skipif(not ID_CARD_DATA.exists(), reason=SPECIMENS_MISSING)
def test_a_download_of_the_icao_directory_is_taken_apart(tmp_path: Path) -> None:
    whole = (ID_CARD_DATA / "master_lists/NL_ML_2026-02-16.ml").read_bytes()
    damaged = whole[:-1] + bytes((whole[-1] ^ 1,))
    entries = [
        "version: 1",
        "dn: cn=NL,o=ml,c=NL,dc=CSCAMasterList,dc=pkdDownload",
        folded("pkdMasterListContent", whole),
        "",
        "dn: cn=XX,o=ml,c=XX,dc=CSCAMasterList,dc=pkdDownload",
        folded("pkdMasterListContent", damaged),
        "",
        "dn: cn=UT,o=crl,c=UT,dc=data,dc=pkdDownload",
        folded("certificateRevocationList;binary", UTOPIA.crl({})),
        folded("userCertificate;binary", UTOPIA.der),
    ]
    (tmp_path / "icaopkd.ldif").write_text("\n".join(entries))
    assert import_trust(tmp_path / "icaopkd.ldif", tmp_path / "trust") == 392
    assert import_trust(tmp_path / "icaopkd.ldif", tmp_path / "trust") == 392
    assert [path.suffix for path in sorted((tmp_path / "trust").iterdir(), key=lambda path: path.suffix)] == [
        ".crl",
        ".ml",
    ]


def test_a_directory_without_lists_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.ldif").write_text("version: 1\n" + folded("pkdMasterListContent", b"nothing"))
    with pytest.raises(StoppedError, match=r"empty\.ldif"):
        import_trust(tmp_path / "empty.ldif", tmp_path / "trust")
