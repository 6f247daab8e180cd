"""Oracles: security infos of real and test cards as OpenPACE carries them, the BSI specimen's DG14, worked examples."""

import contextlib
import json

import pytest
from asn1crypto import cms
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.cipher_suites import CipherSuite
from hardware_drivers.id_chip.curves import CURVES
from hardware_drivers.id_chip.domain_parameters import STANDARD_DOMAINS, domain_of, public_key_of, standard_domain
from hardware_drivers.id_chip.modular_groups import GROUPS, ModularGroup, group_with
from hardware_drivers.id_chip.security_infos import (
    ActiveAuthenticationInfo,
    Agreement,
    Mapping,
    SecurityInfos,
    parse_dg14,
    parse_security_infos,
)
from tests.hardware_drivers.cards import ID_CARD_DATA, SPECIMENS_MISSING
from tests.hardware_drivers.id_chip.pace_examples import EXAMPLES, I1_CHIP_KEY_INFO

needs_data = pytest.mark.skipif(not ID_CARD_DATA.exists(), reason=SPECIMENS_MISSING)
BSI = "0.4.0.127.0.7.2.2"


def sequence(*parts: bytes) -> bytes:
    return tlv.encode(der.SEQUENCE, b"".join(parts))


def oid(dotted: str) -> bytes:
    return tlv.encode(der.OBJECT_IDENTIFIER, der.encode_object_identifier(dotted))


def infos(*encoded: bytes) -> SecurityInfos:
    return parse_security_infos(tlv.encode(der.SET, b"".join(encoded)))


def openpace(name: str) -> bytes:
    """One of OpenPACE's test files, cut to the length its first object announces (some have a tail)."""
    vectors = json.loads((ID_CARD_DATA / "vectors" / "vectors.json").read_text())["openpace/eactest.c"]
    content = bytes.fromhex(vectors[name])
    return content[: tlv.read_header(content).total_length]


def ec_parameters(**changed: int) -> bytes:
    """brainpoolP256r1 spelled out (Doc 9303-11 §G.1), with some numbers bent."""
    curve = next(one for one in CURVES if one.name == "brainpoolP256r1")
    numbers = {"p": curve.p, "a": curve.a, "b": curve.b, "x": curve.x, "y": curve.y, "n": curve.n, "h": 1} | changed
    a, b, x, y = (numbers[name].to_bytes(32, "big") for name in "abxy")
    return sequence(
        der.encode_unsigned(1),
        sequence(oid("1.2.840.10045.1.1"), der.encode_unsigned(numbers["p"])),
        sequence(tlv.encode(der.OCTET_STRING, a), tlv.encode(der.OCTET_STRING, b)),
        tlv.encode(der.OCTET_STRING, b"\x04" + x + y),
        der.encode_unsigned(numbers["n"]),
        der.encode_unsigned(numbers["h"]),
    )


@needs_data
def test_a_german_test_card_offers_generic_and_chip_authentication_mapping() -> None:
    found = parse_security_infos(openpace("ef_cardaccess_ca3"))
    assert [(info.mapping, info.suite, info.parameter_id) for info in found.pace] == [
        (Mapping.GENERIC, CipherSuite.AES_128, 13),
        (Mapping.CHIP_AUTHENTICATION, CipherSuite.AES_128, 13),
    ]
    assert [(info.version, info.key_id) for info in found.chip_authentication] == [(2, 0x48), (3, 0x4F)]
    assert [info.version for info in found.terminal_authentication] == [2]
    assert len(found.others) == 5


@needs_data
def test_a_card_of_the_field_trial_spells_its_twisted_curve_out() -> None:
    found = parse_security_infos(openpace("ef_cardaccess_old_testcard"))
    assert [(info.version, info.parameter_id) for info in found.pace] == [(1, None)]
    assert [spelled.domain.name for spelled in found.pace_domains] == ["brainpoolP256t1"]
    assert found.pace_domain(found.pace[0]) is found.pace_domains[0].domain


@needs_data
def test_a_slovenian_card_says_where_its_trust_points_are() -> None:
    found = parse_security_infos(openpace("ef_cardaccess_slowenia"))
    (info,) = found.terminal_authentication
    assert (info.version, info.cvca_fid, info.cvca_sfi) == (1, 0x011A, 0x1A)
    assert [(one.agreement, one.suite, one.key_id) for one in found.chip_authentication] == [
        (Agreement.ECDH, CipherSuite.TDES, 3)
    ]


@needs_data
@pytest.mark.parametrize(("name", "agreement", "parameter_id"), [("ecdh", Agreement.ECDH, 13), ("dh", Agreement.DH, 0)])
def test_the_worked_examples_of_tr_03110_are_read(name: str, agreement: Agreement, parameter_id: int) -> None:
    found = parse_security_infos(openpace(f"tc_{name}_ef_cardaccess"))
    assert [(info.agreement, info.parameter_id) for info in found.pace] == [(agreement, parameter_id)]
    assert [(info.agreement, info.key_id) for info in found.chip_authentication] == [(agreement, 1)]


@needs_data
def test_card_security_of_the_worked_example_holds_the_chips_key() -> None:
    signed = cms.ContentInfo.load(openpace("tc_ecdh_ef_cardsecurity"))["content"]["encap_content_info"]
    found = parse_security_infos(signed["content"].native)
    vectors = json.loads((ID_CARD_DATA / "vectors" / "vectors.json").read_text())["openpace/eactest.c"]
    key = found.chip_key(1)
    assert key is not None
    assert key.key.element.hex() == vectors["tc_ecdh_ca_picc_pub_key"].lower()
    assert found.chip_key(None) is key
    assert found.chip_key(2) is None


@needs_data
def test_the_specimens_dg14_holds_a_key_on_a_spelled_out_curve() -> None:
    found = parse_dg14((ID_CARD_DATA / "bsi_specimen_2008" / "Datagroup14.bin").read_bytes())
    assert [(key.key.domain.name, key.key_id) for key in found.chip_keys] == [("brainpoolP224r1", None)]
    assert [info.suite for info in found.chip_authentication] == [CipherSuite.TDES]
    assert [info.version for info in found.terminal_authentication] == [1]
    assert found.chip_keys[0].spki[:1] == b"\x30"


def test_the_infos_of_the_worked_examples_are_read() -> None:
    found = infos(*(example.pace_info for example in EXAMPLES), I1_CHIP_KEY_INFO)
    assert [(info.agreement, info.mapping, info.parameter_id) for info in found.pace] == [
        (Agreement.ECDH, Mapping.GENERIC, 13),
        (Agreement.DH, Mapping.GENERIC, 0),
        (Agreement.ECDH, Mapping.INTEGRATED, 13),
        (Agreement.DH, Mapping.INTEGRATED, 0),
        (Agreement.ECDH, Mapping.CHIP_AUTHENTICATION, 13),
    ]
    assert [key.key_id for key in found.chip_keys] == [13]


def test_active_authentication_names_its_hash() -> None:
    known = sequence(oid("2.23.136.1.1.5"), der.encode_unsigned(1), oid("0.4.0.127.0.7.1.1.4.1.3"))
    unknown = sequence(oid("2.23.136.1.1.5"), der.encode_unsigned(1), oid("0.4.0.127.0.7.1.1.4.1.6"))
    assert infos(known, unknown).active_authentication == (
        ActiveAuthenticationInfo(1, "0.4.0.127.0.7.1.1.4.1.3", "sha256"),
        ActiveAuthenticationInfo(1, "0.4.0.127.0.7.1.1.4.1.6", None),
    )


def test_standard_numbers_are_those_of_table_12() -> None:
    assert sorted(STANDARD_DOMAINS) == [0, 1, 2, *range(8, 19)]
    assert [standard_domain(number).name for number in (0, 2, 8, 10, 14, 18)] == [  # type: ignore[union-attr]
        "rfc5114-1024-160",
        "rfc5114-2048-256",
        "secp192r1",
        "secp224r1",
        "brainpoolP320r1",
        "secp521r1",
    ]
    assert standard_domain(3) is standard_domain(19) is None


@pytest.mark.parametrize("group", GROUPS, ids=lambda one: one.name)
def test_the_groups_have_their_order(group: ModularGroup) -> None:
    assert group.q is not None
    assert (group.p - 1) % group.q == 0
    assert group.holds(group.g)
    assert not group.holds(1)
    assert not group.holds(group.p - 1)
    assert not group.holds(group.p + group.g)
    assert group_with(group.p, group.g, None) is group_with(group.p, group.g, group.q) is group


def test_a_group_of_our_own_making_is_bounded() -> None:
    group = GROUPS[2]
    other_g = pow(group.g, 3, group.p)
    spelled = group_with(group.p, other_g, group.q)
    assert (spelled.p, spelled.g, spelled.q) == (group.p, other_g, group.q)
    for p, g, q in (
        (23, 5, None),
        ((1 << 5000) + 1, 2, None),
        (group.p - 1, 2, None),
        (group.p, 1, None),
        (group.p, group.p - 1, None),
        (group.p, 2, group.q),
        (group.p, other_g, 1),
    ):
        with pytest.raises(MalformedFileError):
            group_with(p, g, q)


def test_a_key_over_a_prime_group_is_read_in_three_spellings() -> None:
    group = GROUPS[0]
    number = pow(group.g, 0xC0FFEE, group.p)
    bit_string = tlv.encode(der.BIT_STRING, b"\x00" + der.encode_unsigned(number))
    p, g, q = (der.encode_unsigned(one) for one in (group.p, group.g, group.q or 0))
    for algorithm in (
        sequence(oid("0.4.0.127.0.7.1.2"), der.encode_unsigned(0)),
        sequence(oid("1.2.840.10046.2.1"), sequence(p, g, q)),
        sequence(oid("1.2.840.113549.1.3.1"), sequence(p, g)),
    ):
        key = public_key_of(algorithm + bit_string)
        assert key.domain is group
        assert key.element == number.to_bytes(128, "big")


@pytest.mark.parametrize(
    "bent", [{"p": 7}, {"a": 1}, {"b": 1}, {"x": 1}, {"y": 1}, {"n": 7}, {"h": 2}], ids=lambda bent: next(iter(bent))
)
def test_a_curve_with_one_number_bent_is_refused(bent: dict[str, int]) -> None:
    assert domain_of(oid("1.2.840.10045.2.1") + ec_parameters()) is standard_domain(13)
    with pytest.raises(MalformedFileError):
        domain_of(oid("1.2.840.10045.2.1") + ec_parameters(**bent))


@pytest.mark.parametrize("number", [0, 1, GROUPS[0].p - 1, GROUPS[0].p, 2], ids=["0", "1", "p-1", "p", "outside"])
def test_a_number_outside_its_group_is_no_key(number: int) -> None:
    algorithm = sequence(oid("0.4.0.127.0.7.1.2"), der.encode_unsigned(0))
    with pytest.raises(MalformedFileError):
        public_key_of(algorithm + tlv.encode(der.BIT_STRING, b"\x00" + der.encode_unsigned(number)))


def test_a_point_off_its_curve_is_no_key() -> None:
    bent = bytearray(I1_CHIP_KEY_INFO)
    bent[-4] ^= 1
    with pytest.raises(MalformedFileError):
        infos(bytes(bent))


WRONG = {
    "no set": sequence(),
    "no sequence inside": tlv.encode(der.SET, oid("1.2.3")),
    "one part": tlv.encode(der.SET, sequence(oid("1.2.3"))),
    "four parts": tlv.encode(der.SET, sequence(oid("1.2.3"), *(der.encode_unsigned(1),) * 3)),
    "padded identifier": tlv.encode(der.SET, sequence(bytes.fromhex("0603800101"), b"\x02\x01\x01")),
    "cut identifier": tlv.encode(der.SET, sequence(bytes.fromhex("06022A80"), b"\x02\x01\x01")),
    "negative version": tlv.encode(der.SET, sequence(oid(f"{BSI}.4.2.2"), b"\x02\x01\xff", b"\x02\x01\x0d")),
    "version no number": tlv.encode(der.SET, sequence(oid(f"{BSI}.4.2.2"), b"\x04\x01\x02", b"\x02\x01\x0d")),
    "huge parameter id": tlv.encode(
        der.SET, sequence(oid(f"{BSI}.4.2.2"), b"\x02\x01\x02", der.encode_unsigned(1 << 40))
    ),
    "cvca of three bytes": tlv.encode(
        der.SET, sequence(oid(f"{BSI}.2"), b"\x02\x01\x01", sequence(tlv.encode(4, b"\x01\x1c\x00")))
    ),
    "active authentication without algorithm": tlv.encode(
        der.SET, sequence(oid("2.23.136.1.1.5"), der.encode_unsigned(1))
    ),
    "curve as a prime group": tlv.encode(
        der.SET, sequence(oid(f"{BSI}.4.1"), sequence(oid("0.4.0.127.0.7.1.2"), der.encode_unsigned(13)))
    ),
    "reserved standard number": tlv.encode(
        der.SET, sequence(oid(f"{BSI}.4.2"), sequence(oid("0.4.0.127.0.7.1.2"), der.encode_unsigned(5)))
    ),
    "more than sixty-four": tlv.encode(der.SET, sequence(oid("1.2.3"), der.encode_unsigned(1)) * 65),
    "something behind": tlv.encode(der.SET, b"") + b"\x01",
    "two gigabytes": bytes.fromhex("31847FFFFFFF"),
    "too large": tlv.encode(der.SET, bytes(70_000)),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_follow_its_definition_is_refused(name: str) -> None:
    with pytest.raises(MalformedFileError):
        parse_security_infos(WRONG[name])


def test_unknown_identifiers_do_no_harm() -> None:
    found = infos(sequence(oid("2.999.1"), sequence()), sequence(oid(f"{BSI}.4.5.2"), der.encode_unsigned(2)))
    assert found == SecurityInfos(others=("2.999.1", f"{BSI}.4.5.2"))


@pytest.mark.parametrize("dotted", ["0.4.0.127.0.7.2.2.4.2.2", "2.23.136.1.1.5", "1.2.840.113549.1.1.1", "2.999.3"])
def test_object_identifiers_agree_with_asn1crypto(dotted: str) -> None:
    encoded = cms.ObjectIdentifier(dotted).contents
    assert der.encode_object_identifier(dotted) == encoded
    assert der.object_identifier(encoded) == dotted


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for reader in (parse_security_infos, parse_dg14):
        with contextlib.suppress(MalformedFileError):
            assert isinstance(reader(content), SecurityInfos)


@given(st.data())
def test_any_change_to_good_infos_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(
        tlv.encode(
            der.SET,
            b"".join(example.pace_info for example in EXAMPLES)
            + I1_CHIP_KEY_INFO
            + sequence(oid(f"{BSI}.4.2"), sequence(oid("1.2.840.10045.2.1"), ec_parameters()), der.encode_unsigned(40))
            + sequence(oid(f"{BSI}.2"), der.encode_unsigned(1), sequence(tlv.encode(4, b"\x01\x1c"))),
        )
    )
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        match data.draw(st.integers(0, 2)):
            case 0:
                whole[at] = data.draw(st.integers(0, 255))
            case 1:
                del whole[at : at + data.draw(st.integers(1, 9))]
            case _:
                whole[at:at] = data.draw(st.binary(min_size=1, max_size=9))
        if not whole:
            break
    try:
        found = parse_security_infos(bytes(whole))
    except MalformedFileError:
        return
    for info in found.pace:
        found.pace_domain(info)  # None or a domain, never an exception
