from dataclasses import replace

import pytest

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.card_protection import ChipAuthenticationKind, Protection, protect
from hardware_drivers.id_chip.chip_auth import (
    Agreed,
    ChipKey,
    CounterTerminal,
    EphemeralKey,
    ProofState,
    chip_keys,
    ephemeral_key,
    keys_after,
    proof_state,
    session_keys,
    shared_secret,
    token,
)
from hardware_drivers.id_chip.cipher_suites import CipherSuite
from hardware_drivers.id_chip.domain_parameters import STANDARD_DOMAINS, AgreementKey
from hardware_drivers.id_chip.evidence import ChipAuthenticationProof, ChipEvidence
from hardware_drivers.id_chip.key_agreement import agreement_over
from hardware_drivers.id_chip.read import read_chip
from hardware_drivers.id_chip.security_infos import Agreement, SecurityInfos, parse_dg14
from tests.hardware_drivers.cards import (
    CHALLENGE,
    ID_CARD_DATA,
    SPECIMENS_MISSING,
    WEI,
    link_to,
    make_card,
    make_chip,
    make_issuer,
    seeded,
)
from tests.hardware_drivers.vectors_bsi import example, needs_vectors

# eactest.c does not say which parameters its examples run on: 13 and 0 of Doc 9303-11 §9.5.1, as its EF.CardAccess does
EXAMPLES = [("ecdh", 13, "0.4.0.127.0.7.2.2.3.2.2"), ("dh", 0, "0.4.0.127.0.7.2.2.3.1.2")]


@needs_vectors
@pytest.mark.parametrize(("family", "parameter_id", "oid"), EXAMPLES)
def test_the_bsis_example_comes_out_byte_for_byte(family: str, parameter_id: int, oid: str) -> None:
    domain = STANDARD_DOMAINS[parameter_id]
    agreement = agreement_over(domain)
    private = int.from_bytes(example(f"tc_{family}_ca_pcd_priv_key"), "big")
    public = example(f"tc_{family}_ca_pcd_pub_key")
    assert agreement.power(agreement.generator, private) == public
    chip = AgreementKey(domain, example(f"tc_{family}_ca_picc_pub_key"))
    secret = shared_secret(chip, private)
    assert secret == example(f"tc_{family}_ca_shared_secret_k")
    nonce = example(f"tc_{family}_ca_nonce")
    keys = session_keys(CipherSuite.AES_128, secret, nonce)
    assert keys.encryption == example(f"tc_{family}_ca_k_enc")
    assert keys.authentication == example(f"tc_{family}_ca_k_mac")
    assert token(keys, oid, domain, public) == example(f"tc_{family}_ca_picc_token")
    # and the same by the way a reading takes: nonce and token as the chip sends them
    key = ChipKey(oid, Agreement(family.upper()), CipherSuite.AES_128, None, chip, version=2)
    answer = tlv.encode(0x7C, tlv.encode(0x81, nonce) + tlv.encode(0x82, example(f"tc_{family}_ca_picc_token")))
    assert keys_after(key, EphemeralKey(domain, private, public), Agreed(answer)) == keys


@pytest.mark.skipif(not ID_CARD_DATA.exists(), reason=SPECIMENS_MISSING)
def test_the_specimen_offers_3des_over_a_spelled_out_curve() -> None:
    infos = parse_dg14((ID_CARD_DATA / "bsi_specimen_2008" / "Datagroup14.bin").read_bytes())
    (key,) = chip_keys(infos)
    assert (key.oid, key.suite, key.key_id) == ("0.4.0.127.0.7.2.2.3.2.1", CipherSuite.TDES, None)
    assert key.public.domain == STANDARD_DOMAINS[11]  # brainpoolP224r1
    # Doc 9303-11 §9.2.5: without its info a key means the same
    assert chip_keys(SecurityInfos(chip_keys=infos.chip_keys)) == [key]


def read_with(kind: ChipAuthenticationKind, *, extended: bool = True) -> tuple[ChipEvidence, int]:
    card = make_card(protection=Protection(chip=kind))
    link = link_to(make_chip(card, extended=extended))
    evidence = read_chip(link, card.key, CHALLENGE, seeded(), lambda _: None)
    assert evidence.data_groups == {n: card.files[0x0100 + n] for n in (1, 2, 14)}
    return evidence, len(link.commands)


def state_of(evidence: ChipEvidence, proof: ChipAuthenticationProof | None, challenge: bytes = CHALLENGE) -> ProofState:
    assert proof is not None
    (key,) = chip_keys(parse_dg14(evidence.data_groups[14]))
    return proof_state(proof, key, challenge, evidence.data_groups[1])


@pytest.mark.parametrize("kind", list(ChipAuthenticationKind))
@pytest.mark.parametrize("extended", [True, False])
def test_a_chip_with_the_key_proves_it_and_is_read_on_under_new_keys(
    kind: ChipAuthenticationKind, extended: bool
) -> None:
    evidence, _ = read_with(kind, extended=extended)
    assert state_of(evidence, evidence.chip_authentication) is ProofState.HOLDS


def test_a_proof_belongs_to_its_challenge_and_its_document() -> None:
    evidence, _ = read_with(ChipAuthenticationKind.ECDH_AES128)
    proof = evidence.chip_authentication
    assert state_of(evidence, proof, b"otherone") is ProofState.OTHER_CHALLENGE
    assert proof is not None
    assert state_of(evidence, replace(proof, salt=bytes(32))) is ProofState.OTHER_CHALLENGE
    other = replace(evidence, data_groups={**evidence.data_groups, 1: b"\x61\x00"})
    assert state_of(other, proof) is ProofState.WRONG


@pytest.mark.parametrize("kind", [ChipAuthenticationKind.ECDH_AES128, ChipAuthenticationKind.ECDH_AES128_V2])
def test_no_changed_bit_of_the_answer_holds(kind: ChipAuthenticationKind) -> None:
    evidence, _ = read_with(kind)
    proof = evidence.chip_authentication
    assert proof is not None
    for at in range(0, len(proof.answer) - 2, 3):  # the two behind are the status, which the MAC covers inside
        changed = proof.answer[:at] + bytes((proof.answer[at] ^ 1,)) + proof.answer[at + 1 :]
        assert state_of(evidence, replace(proof, answer=changed)) is ProofState.WRONG
    for nothing in (b"", b"\x90\x00", b"\x69\x88"):
        assert state_of(evidence, replace(proof, answer=nothing)) is ProofState.WRONG
    assert state_of(evidence, replace(proof, command=b"", answer=b"")) is ProofState.WRONG


def test_the_counter_runs_it_without_the_terminal_ever_having_the_keys() -> None:
    card = make_card(protection=Protection(chip=ChipAuthenticationKind.ECDH_AES256))
    counter = CounterTerminal.create(seeded(4))
    link = link_to(make_chip(card))
    evidence = read_chip(link, card.key, CHALLENGE, seeded(), lambda _: None, offer=counter.offer)
    proof = evidence.chip_authentication
    assert proof is not None
    assert proof.salt == b""
    assert state_of(evidence, proof, counter.secret) is ProofState.HOLDS
    # another visit's counter, and the terminal's best guess, learn nothing from it
    assert state_of(evidence, proof, CounterTerminal.create(seeded(5)).secret) is ProofState.OTHER_CHALLENGE
    assert state_of(evidence, proof, CHALLENGE) is ProofState.OTHER_CHALLENGE


def test_a_lying_terminal_can_make_up_its_own_run_but_not_the_counters() -> None:
    """Why `verify` calls the one the terminal's word and believes the other."""
    protected = protect(Protection(chip=ChipAuthenticationKind.ECDH_AES128), WEI.key, make_issuer(), seeded(3))
    (key,) = chip_keys(parse_dg14(protected.groups[14]))
    dg1 = make_card().files[0x0101]
    salt = bytes(32)
    ephemeral = ephemeral_key(key.public.domain, CHALLENGE, salt)
    keys = session_keys(key.suite, shared_secret(key.public, ephemeral.private))
    made_up = forged_answer(keys.encryption, keys.authentication, dg1)
    forged = ChipAuthenticationProof(key.oid, key.key_id, salt, ephemeral.public, b"\x0c", made_up)
    assert proof_state(forged, key, CHALLENGE, dg1) is ProofState.HOLDS
    counter = CounterTerminal.create(seeded(6))
    offer = counter.offer(protected.groups[14])
    assert offer is not None
    # without the private half of what the counter offered there is only guessing
    guessed = ChipAuthenticationProof(key.oid, key.key_id, b"", offer.terminal_public, offer.command, made_up)
    assert proof_state(guessed, key, counter.secret, dg1) is ProofState.WRONG
    reflected = replace(guessed, answer=offer.command)
    assert proof_state(reflected, key, counter.secret, dg1) is ProofState.WRONG


def forged_answer(encryption: bytes, authentication: bytes, content: bytes) -> bytes:
    """The first answer of a session, by whoever has its keys; AES-128 (Doc 9303-11 §9.8.4)."""
    suite, counter = CipherSuite.AES_128, (2).to_bytes(16, "big")
    cryptogram = suite.encrypt(encryption, suite.pad(content), suite.message_iv(encryption, counter))
    objects = tlv.encode(0x87, b"\x01" + cryptogram) + tlv.encode(0x99, b"\x90\x00")
    mac = suite.mac(authentication, suite.pad(counter + objects))
    return objects + tlv.encode(0x8E, mac) + b"\x90\x00"


def test_one_secret_has_unrelated_keys_in_different_domains() -> None:
    """A kiosk may ask for an offer in a group it can break; what it learns must not help on the chip's curve."""
    keys = [ephemeral_key(domain, bytes(32), b"") for domain in STANDARD_DOMAINS.values()]
    shortest = min(key.private.bit_length() for key in keys) - 64
    heads = {key.private >> key.private.bit_length() - shortest for key in keys}
    tails = {key.private % (1 << shortest) for key in keys}
    assert len(heads) == len(tails) == len(keys)


def test_no_proof_is_offered_by_a_chip_without_keys() -> None:
    assert CounterTerminal.create(seeded()).offer(bytes.fromhex("6E023100")) is None
    assert chip_keys(SecurityInfos()) == []


@pytest.mark.parametrize("order", [2, 3, 7, None])
def test_a_made_up_group_costs_nothing_but_its_refusal(order: int | None) -> None:
    # p = g^2 + g + 1 makes g one of three; p = g^2 - 1 makes it one of two
    g = 1 << 511 | 0x1235
    p = g * g - 1 if order == 2 else g * g + g + 1
    p |= 1
    numbers = (p, g) if order is None else (p, g, order)
    oid = "1.2.840.113549.1.3.1" if order is None else "1.2.840.10046.2.1"
    parameters = tlv.encode(0x30, b"".join(der.encode_unsigned(number) for number in numbers))
    algorithm = tlv.encode(0x30, tlv.encode(0x06, der.encode_object_identifier(oid)) + parameters)
    key = tlv.encode(0x30, algorithm + tlv.encode(0x03, b"\x00" + der.encode_unsigned(g)))
    info = tlv.encode(0x30, tlv.encode(0x06, der.encode_object_identifier("0.4.0.127.0.7.2.2.1.1")) + key)
    dg14 = tlv.encode(0x6E, tlv.encode(0x31, info))
    try:
        CounterTerminal.create(seeded()).offer(dg14)
    except MalformedFileError:
        return
    assert (
        order is None
    )  # without a stated order such a group cannot be told from others, and draws from it all the same
