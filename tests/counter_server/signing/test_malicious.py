"""Contracts that somebody has been at. Each is one of the published attacks on signed PDF, made here on our own.

Names: "Shadow Attacks" (Mainka, Mladenov, Rohlmann, NDSS 2021), "1 Trillion Dollar Refund" (Mladenov et al., CCS 2019:
universal forgery, incremental saving, signature wrapping), "Breaking the Specification" (Rohlmann et al., S&P 2021:
attacks on certification).
"""

# mypy: disable-error-code="no-untyped-call"
# pyHanko's PDF objects come without types

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from counter_server.config import SigningSettings
from counter_server.records.examination import BrokenError
from counter_server.records.verify_contract import BYTE_RANGE, check_contract
from counter_server.signing import contract as signing_contract
from counter_server.signing.contract import sign_by_staff
from counter_server.signing.examine import examine
from counter_server.signing.worker import open_desk
from tests.counter_server.signing.contracts import CLERK, EXPECTED, RECORD, Contract, document, hand

FORGED = b"q 0.9 0.1 0.1 rg 100 500 300 60 re f Q"  # stands for another amount


def refused(contract: Contract, pdf: bytes) -> tuple[str, tuple[str, ...]]:
    """Why the stand-alone check refuses, and what pyHanko finds."""
    root = contract.desk.authority.root
    with pytest.raises(BrokenError) as caught:
        check_contract(pdf, contract.shown.sha256, root, EXPECTED, RECORD)
    return str(caught.value), examine(pdf, root).flaws


def appended(pdf: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """One more revision, made by a proper PDF library."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    change(writer)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def replace_page(writer: IncrementalPdfFileWriter) -> None:
    page = writer.find_page_for_modification(0)[0].get_object()
    page[pdf_name("/Contents")] = writer.add_object(generic.StreamObject(stream_data=FORGED))
    writer.update_container(page)


def add_comment(writer: IncrementalPdfFileWriter) -> None:
    """Evil annotation attack: a box drawn over the amount, allowed where a certification permits comments."""
    page = writer.find_page_for_modification(0)[0].get_object()
    drawn = generic.StreamObject(
        dict_data={
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 400, 600)]),
        },
        stream_data=FORGED,
    )
    box = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Stamp"),
            pdf_name("/Rect"): generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 400, 600)]),
            pdf_name("/AP"): generic.DictionaryObject({pdf_name("/N"): writer.add_object(drawn)}),
        }
    )
    page.setdefault(pdf_name("/Annots"), generic.ArrayObject()).append(writer.add_object(box))
    writer.update_container(page)


def change_signature_appearance(writer: IncrementalPdfFileWriter) -> None:
    """Sneaky signature attack: the widget of a signature is made to show something else."""
    field = writer.root["/AcroForm"]["/Fields"][0].get_object()
    drawn = generic.StreamObject(
        dict_data={
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 400, 600)]),
        },
        stream_data=FORGED,
    )
    field[pdf_name("/AP")] = generic.DictionaryObject({pdf_name("/N"): writer.add_object(drawn)})
    field[pdf_name("/Rect")] = generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 500, 800)])
    writer.update_container(field)


def loosen_certification(writer: IncrementalPdfFileWriter) -> None:
    del writer.root["/Perms"]
    writer.update_root()


def swap_catalogue(writer: IncrementalPdfFileWriter) -> None:
    """Shadow attack, replace: the page tree is exchanged for one prepared before."""
    first = writer.root["/Pages"]["/Kids"].raw_get(0)
    pages = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Pages"),
            pdf_name("/Kids"): generic.ArrayObject([first]),
            pdf_name("/Count"): generic.NumberObject(1),
        }
    )
    writer.root[pdf_name("/Pages")] = writer.add_object(pages)
    writer.update_root()


UPDATES = {
    "incremental saving: a page's content": replace_page,
    "evil annotation on a certified document": add_comment,
    "sneaky signature appearance": change_signature_appearance,
    "certification taken back": loosen_certification,
    "shadow: another page tree": swap_catalogue,
}


@pytest.mark.parametrize("kind", UPDATES)
def test_whatever_is_appended_after_the_last_stamp_is_refused_by_both(contract: Contract, kind: str) -> None:
    why, flaws = refused(contract, appended(contract.countersigned, UPDATES[kind]))
    assert "after the last signature" in why
    assert flaws


@pytest.mark.parametrize("kind", UPDATES)
def test_whatever_is_put_between_two_hands_is_refused_though_the_clerk_signs_it(contract: Contract, kind: str) -> None:
    """The clerk is deceived, or lies: every signature holds, and the difference analysis sees what was changed."""
    changed = appended(contract.by_hand, UPDATES[kind])
    signed = sign_by_staff(contract.desk, changed, CLERK, datetime.now(UTC))
    why, flaws = refused(contract, signed)
    assert "nobody signed" in why
    assert "customer: more was changed after it than may be" in flaws


def test_a_page_changed_in_the_first_hands_own_revision_is_seen(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes over the signing process signs what he likes; what was shown still stands at the beginning."""
    keep_proof = signing_contract._keep_proof

    def change_first(writer: IncrementalPdfFileWriter, *proof: Any) -> None:
        replace_page(writer)
        keep_proof(writer, *proof)
        monkeypatch.undo()

    monkeypatch.setattr(signing_contract, "_keep_proof", change_first)
    signed = sign_by_staff(contract.desk, hand(contract.desk, document().pdf), CLERK, datetime.now(UTC))
    flaws = examine(signed, contract.desk.authority.root).flaws
    assert flaws == ("more was changed before the first hand than was to be signed",)


def test_shadow_content_hidden_before_signing_does_not_begin_with_what_was_shown(contract: Contract) -> None:
    """Prepared before anybody signed: everything holds but that these are not the bytes that were on the screens."""
    prepared = appended(document().pdf, replace_page)
    signed = sign_by_staff(contract.desk, hand(contract.desk, prepared), CLERK, datetime.now(UTC))
    why, flaws = refused(contract, signed)
    assert "does not begin with the document that was shown" in why
    assert flaws == ("a revision that nobody signed",)


def ranges(pdf: bytes) -> list[re.Match[bytes]]:
    return list(BYTE_RANGE.finditer(pdf))


def test_universal_forgery_by_a_missing_or_odd_byte_range(contract: Contract) -> None:
    pdf = contract.countersigned
    first = ranges(pdf)[0]
    for forged in (
        b"",
        b"/ByteRange null",
        b"/ByteRange [0 -1 -1 -1]",
        b"/ByteRange [0 0 0 0]",
        b"/Byte#52ange [0 1 2 3]",
    ):
        padded = forged.ljust(len(first.group()))
        why, flaws = refused(contract, pdf[: first.start()] + padded + pdf[first.end() :])
        assert why
        assert flaws


def test_universal_forgery_by_empty_or_zero_contents(contract: Contract) -> None:
    pdf = contract.countersigned
    _, begins, ends, _ = (int(group) for group in ranges(pdf)[0].groups())
    for forged in (b"<>", b"<00>", b"<" + b"00" * ((ends - begins - 2) // 2) + b">"):
        why, flaws = refused(contract, pdf[:begins] + forged.ljust(ends - begins) + pdf[ends:])
        assert why
        assert flaws


def test_signature_wrapping_by_moving_what_was_signed(contract: Contract) -> None:
    """The signed second part is moved behind content of the attacker's, and the byte range made to point there."""
    pdf = contract.countersigned
    first = ranges(pdf)[0]
    _, begins, ends, rest = (int(group) for group in first.groups())
    inserted = b"\n" + FORGED + b"\n"
    moved = b"/ByteRange [0 %d %d %d]" % (begins, ends + len(inserted), rest)
    wrapped = pdf[: first.start()] + moved.ljust(len(first.group())) + pdf[first.end() : ends] + inserted + pdf[ends:]
    why, flaws = refused(contract, wrapped)
    assert why
    assert flaws


def test_a_hole_larger_than_the_signature_hides_nothing(contract: Contract) -> None:
    pdf = contract.countersigned
    first = ranges(pdf)[0]
    _, begins, ends, rest = (int(group) for group in first.groups())
    wider = b"/ByteRange [0 %d %d %d]" % (begins - 40, ends, rest)
    why, flaws = refused(contract, pdf[: first.start()] + wider.ljust(len(first.group())) + pdf[first.end() :])
    assert "leaves out more than itself" in why
    assert flaws


def test_a_contract_cut_back_to_an_earlier_state_is_refused(contract: Contract) -> None:
    for part in ranges(contract.countersigned)[:2]:
        _, _, second, rest = (int(group) for group in part.groups())
        why, flaws = refused(contract, contract.countersigned[: second + rest])
        assert why
        assert flaws


def test_another_counters_signatures_are_nobodys_here(contract: Contract, tmp_path: Path) -> None:
    """Everything right but the authority: whoever has this program can make such a contract."""
    other = open_desk(tmp_path, SigningSettings())
    signed = sign_by_staff(other, hand(other, document().pdf), CLERK, datetime.now(UTC))
    why, flaws = refused(contract, signed)
    assert "vouches" in why
    assert flaws


def test_a_contract_of_another_record_is_refused(contract: Contract) -> None:
    root = contract.desk.authority.root
    with pytest.raises(BrokenError, match="another record"):
        check_contract(contract.countersigned, contract.shown.sha256, root, EXPECTED, "R-20261121-00000000")
    with pytest.raises(BrokenError, match="begin"):
        check_contract(contract.countersigned, "00" * 32, root, EXPECTED, RECORD)


def test_every_flipped_bit_of_a_sample_is_refused(contract: Contract) -> None:
    pdf = contract.countersigned
    root = contract.desk.authority.root
    last = ranges(pdf)[-1]
    spare = range(int(last[2]), int(last[3]))  # what pads the last time stamp is under the manifest's hash alone
    places = [place for place in range(7, len(pdf), len(pdf) // 150) if place not in spare]
    for place in places:
        changed = bytearray(pdf)
        changed[place] ^= 1 << place % 8
        with pytest.raises(BrokenError):
            check_contract(bytes(changed), contract.shown.sha256, root, EXPECTED, RECORD)
