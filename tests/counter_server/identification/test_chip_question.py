from counter_server.identification.chip import ChipQuestion, offer_for
from hardware_drivers.id_chip.card_protection import ChipAuthenticationKind, Protection, protect
from tests.hardware_drivers.cards import WEI, make_issuer, seeded


def dg14(seed: int) -> bytes:
    """A chip's keys."""
    protection = Protection(chip=ChipAuthenticationKind.ECDH_AES128)
    return protect(protection, WEI.key, make_issuer(), seeded(seed)).groups[14]


def test_one_question_answers_for_one_chip_only() -> None:
    """Otherwise a kiosk could probe the private key with one made-up DG14 after another."""
    question = ChipQuestion.draw()
    first = offer_for(question, dg14(1))
    assert first.terminal_public
    assert offer_for(question, dg14(1)) == first  # the kiosk may have to begin again
    assert not offer_for(question, dg14(2)).terminal_public
    assert offer_for(ChipQuestion.draw(), dg14(1)).terminal_public != first.terminal_public


def test_nonsense_uses_the_question_up() -> None:
    question = ChipQuestion.draw()
    assert not offer_for(question, b"\x6e\x00").terminal_public
    assert not offer_for(question, dg14(1)).terminal_public
    assert not offer_for(None, dg14(1)).terminal_public
