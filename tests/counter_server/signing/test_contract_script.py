"""`verify-contract.sh`: a stranger with openssl reads who signed, and is told when anything was added or changed."""

import random
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

import counter_server.records
from tests.counter_server.signing.contracts import RECORD, Contract

SCRIPT = Path(counter_server.records.__file__).parent / "verify-contract.sh"


def asked(contract: Contract, pdf: bytes, folder: Path) -> tuple[int, list[str]]:
    root, path = folder / "root.pem", folder / "contract.pdf"
    root.write_bytes(contract.desk.authority.root.public_bytes(Encoding.PEM))
    path.write_bytes(pdf)
    said = subprocess.run(["sh", str(SCRIPT), str(root), str(path)], capture_output=True, text=True, check=False)
    return said.returncode, said.stdout.replace(str(path), "contract.pdf").splitlines()


def test_it_names_every_hand_in_order_and_cuts_out_what_was_shown(contract: Contract, tmp_path: Path) -> None:
    code, lines = asked(contract, contract.countersigned, tmp_path)
    assert (code, lines[-1]) == (0, "WHOLE contract.pdf")
    customer, clerk, stamp = lines[:-1]
    assert f"record:{RECORD}" in customer
    assert "act:customer:holder" in customer
    assert "act:clerk:clerk-7" in clerk
    assert stamp.startswith("time stamp over all before: ")
    assert sha256((tmp_path / "contract.pdf.shown").read_bytes()).hexdigest() == contract.shown.sha256


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda pdf: pdf + b"\n1 0 obj\n<<>>\nendobj\n%%EOF\n", "7 a_time_stamp_covers_all"),
        (lambda pdf: pdf[: pdf.rindex(b"%%EOF")], "3 nothing_between_two_hands"),
        (lambda pdf: pdf.replace(b"/ByteRange", b"/ByteRang#65"), "1 signatures_are_there"),
    ],
)
def test_what_was_added_cut_or_hidden_is_named(
    contract: Contract, tmp_path: Path, change: Callable[[bytes], bytes], check: str
) -> None:
    code, lines = asked(contract, change(contract.countersigned), tmp_path)
    assert (code, lines[-1]) == (1, f"BROKEN contract.pdf: check {check}")


def test_a_contract_nobody_closed_is_not_whole(contract: Contract, tmp_path: Path) -> None:
    code, lines = asked(contract, contract.by_hand, tmp_path)
    assert (code, lines[-1]) == (1, "BROKEN contract.pdf: check 7 a_time_stamp_covers_all")


def test_a_changed_bit_that_was_signed_is_refused(contract: Contract, tmp_path: Path) -> None:
    chance = random.Random(4)  # noqa: S311 - which bits to flip is no secret
    for _ in range(6):
        pdf = bytearray(contract.countersigned)
        pdf[chance.randrange(len(contract.shown.pdf))] ^= 1 << chance.randrange(8)
        assert asked(contract, bytes(pdf), tmp_path)[0] == 1
