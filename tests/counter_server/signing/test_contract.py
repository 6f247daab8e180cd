"""A contract signed by both: strangers' tools agree, and what was shown is what was signed."""

import io
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pypdf
import pypdfium2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from counter_server.records.cms import read_signed_message
from counter_server.records.der import read_first
from counter_server.records.examination import BrokenError
from counter_server.records.verify_contract import BYTE_RANGE, check_contract, evidence_name
from counter_server.signing.contract import sign_by_staff
from counter_server.signing.examine import examine
from tests.counter_server.signing.contracts import APPROVER, EVIDENCE, EXPECTED, RECORD, Contract, hand


def extracted(pdf: bytes) -> list[tuple[bytes, bytes]]:
    """(CMS, bytes it covers) of every signature, cut out as a stranger would."""
    found = []
    for match in BYTE_RANGE.finditer(pdf):
        _, length, second, rest = (int(group) for group in match.groups())
        message = read_first(bytes.fromhex(pdf[length + 1 : second - 1].decode())).whole
        found.append((message, pdf[:length] + pdf[second : second + rest]))
    return found


def root_file(contract: Contract, folder: Path) -> Path:
    path = folder / "root.pem"
    path.write_bytes(contract.desk.authority.root.public_bytes(Encoding.PEM))
    return path


def openssl(*words: str | Path) -> str:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_both_hands_are_on_the_very_bytes_that_were_shown(contract: Contract) -> None:
    assert contract.by_hand.startswith(contract.shown.pdf)
    assert contract.countersigned.startswith(contract.by_hand)
    root = contract.desk.authority.root
    customer, clerk = check_contract(contract.countersigned, contract.shown.sha256, root, EXPECTED, RECORD)
    assert evidence_name(EVIDENCE) in customer.names
    assert customer.at <= clerk.at


def test_a_second_person_signs_in_the_same_way(contract: Contract) -> None:
    approved = sign_by_staff(contract.desk, contract.countersigned, APPROVER, datetime.now(UTC))
    root = contract.desk.authority.root
    three = (*EXPECTED, ("approver", "clerk-9"))
    assert len(check_contract(approved, contract.shown.sha256, root, three, RECORD)) == 3
    assert examine(approved, root).clean
    with pytest.raises(BrokenError, match="signed by others"):
        check_contract(approved, contract.shown.sha256, root, EXPECTED, RECORD)


def test_pyhanko_finds_nothing_wrong(contract: Contract) -> None:
    assert examine(contract.countersigned, contract.desk.authority.root).flaws == ()


def test_pdfsig_finds_both_signatures_valid_and_trusts_them(contract: Contract, tmp_path: Path) -> None:
    base = f"sql:{tmp_path}"
    root = root_file(contract, tmp_path)
    subprocess.run(["certutil", "-N", "-d", base, "--empty-password"], check=True, capture_output=True)
    words = ["certutil", "-A", "-d", base, "-n", "contracts", "-t", "CT,C,C", "-i", str(root)]
    subprocess.run(words, check=True, capture_output=True)
    pdf = tmp_path / "contract.pdf"
    pdf.write_bytes(contract.countersigned)
    said = subprocess.run(["pdfsig", "-nssdir", base, str(pdf)], capture_output=True, text=True, check=False).stdout
    assert said.count("Signature is Valid.") == 2
    assert said.count("Certificate is Trusted.") == 2
    assert "李𠮷" in said


def test_openssl_verifies_every_signature_and_every_time_stamp(contract: Contract, tmp_path: Path) -> None:
    root = root_file(contract, tmp_path)
    message, covered, token, stamped = (tmp_path / name for name in ("m.p7s", "covered", "t.tst", "stamped"))
    found = extracted(contract.countersigned)
    assert len(found) == 3
    for signature, content in found[:2]:
        message.write_bytes(signature)
        covered.write_bytes(content)
        words = ("-inform", "DER", "-in", message, "-content", covered, "-CAfile", root, "-purpose", "any")
        openssl("cms", "-verify", "-binary", *words, "-out", tmp_path / "out")
        read = read_signed_message(signature)
        token.write_bytes(read.time_stamp or b"")
        stamped.write_bytes(read.signature)
        assert "OK" in openssl("ts", "-verify", "-token_in", "-in", token, "-data", stamped, "-CAfile", root)
    token.write_bytes(found[2][0])
    covered.write_bytes(found[2][1])
    assert "OK" in openssl("ts", "-verify", "-token_in", "-in", token, "-data", covered, "-CAfile", root)


def test_openssl_reads_from_the_certificate_for_what_it_was_issued(contract: Contract, tmp_path: Path) -> None:
    root = root_file(contract, tmp_path)
    certificate = read_signed_message(extracted(contract.countersigned)[0][0]).certificate
    path = tmp_path / "customer.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    assert "OK" in openssl("verify", "-CAfile", root, path)
    text = openssl("x509", "-in", path, "-noout", "-text")
    for word in (RECORD, EVIDENCE, "act:customer:holder", "Non Repudiation", "P-256"):
        assert word in text
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(hours=25)


def test_the_store_holds_what_is_needed_when_we_are_gone(contract: Contract, tmp_path: Path) -> None:
    store = pypdf.PdfReader(io.BytesIO(contract.countersigned)).root_object["/DSS"].get_object()
    lists = [one.get_object().get_data() for one in store["/CRLs"]]  # type: ignore[index]
    certificates = [one.get_object().get_data() for one in store["/Certs"]]  # type: ignore[index]
    assert len(certificates) == 4  # customer, clerk, clock, root
    root = root_file(contract, tmp_path)
    for number, der in enumerate(lists):
        path = tmp_path / f"{number}.crl"
        path.write_bytes(der)
        assert "verify OK" in openssl("crl", "-inform", "DER", "-in", path, "-CAfile", root, "-noout")


def test_the_document_stays_archival(contract: Contract, tmp_path: Path) -> None:
    reader = pypdf.PdfReader(io.BytesIO(contract.countersigned))
    metadata = reader.root_object["/Metadata"].get_object().get_data()  # type: ignore[union-attr]
    assert b"<pdfaid:part>3</pdfaid:part>" in metadata
    path = tmp_path / "contract.pdf"
    path.write_bytes(contract.countersigned)
    listed = subprocess.run(["pdffonts", str(path)], capture_output=True, check=True, text=True).stdout.splitlines()[2:]
    assert listed
    assert all("NotoSans" in line for line in listed)
    for field in (one.get_object() for one in reader.root_object["/AcroForm"]["/Fields"]):  # type: ignore[index]
        assert field["/F"] & 4  # ISO 19005-3 §6.3.2: printed
        if not any(field["/Rect"]):
            continue  # the time stamp's; §6.3.3: without a size it needs no appearance
        assert "/N" in field["/AP"]
        assert "/Font" not in field["/AP"]["/N"].get_object().get("/Resources", {})


def test_the_handwriting_is_drawn_in_its_place(contract: Contract) -> None:
    def blue(pdf: bytes) -> int:
        opened = pypdfium2.PdfDocument(pdf)
        opened.init_forms()
        picture = opened[len(opened) - 1].render(scale=2, may_draw_forms=True).to_pil().convert("RGB")
        opened.close()
        height = picture.height
        foot = np.asarray(picture.crop((0, int(height * 0.8), picture.width // 3, height))).astype(int)
        return int(np.count_nonzero((foot[..., 2] - foot[..., 0] > 90) & (foot[..., 1] < 110)))

    assert blue(contract.shown.pdf) == 0
    assert blue(contract.by_hand) > 100


def test_every_customer_has_a_key_of_their_own_and_none_is_kept(contract: Contract) -> None:
    def key_of(pdf: bytes) -> bytes:
        key = read_signed_message(extracted(pdf)[0][0]).certificate.public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    assert key_of(hand(contract.desk, contract.shown.pdf)) != key_of(contract.by_hand)
    kept = {path.stem for path in contract.folder.rglob("*.pem")} - {"contract-root"}
    assert kept <= {"contract-authority", "time-stamps", "staff-clerk-7", "staff-clerk-9"}


def test_another_root_vouches_for_nobody(contract: Contract) -> None:
    certificate: x509.Certificate = read_signed_message(extracted(contract.by_hand)[0][0]).certificate
    with pytest.raises(BrokenError, match="vouches"):
        check_contract(contract.countersigned, contract.shown.sha256, certificate, EXPECTED, RECORD)
    assert not examine(contract.countersigned, certificate).clean
