"""Whom to believe: C2SP's example of a policy, and what is refused."""

import pytest

from counter_server.records.log.errors import LogFormatError, LogUnprovenError
from counter_server.records.log.note import Algorithm, SignerKey
from counter_server.records.log.policy import Policy
from tests.counter_server.records.log.test_note import LOG, WITNESSES, cosigned

NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
KEYS = {name: SignerKey(name, Algorithm.COSIGNATURE_ED25519, name.encode() * 16).verifier.spelling() for name in NAMES}
# the example of C2SP tlog-policy, its elided keys filled in
EXAMPLE = f"""# a comment
log {LOG.verifier.spelling()}

witness X1 {KEYS["X1"]}
witness X2 {KEYS["X2"]}
witness X3 {KEYS["X3"]} https://x3.example
group X-witnesses 2 X1 X2 X3

witness Y1 {KEYS["Y1"]}
witness Y2 {KEYS["Y2"]}
  witness\tY3 {KEYS["Y3"]}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


@pytest.mark.parametrize(
    ("cosigned_by", "enough"),
    [
        ({"X1", "X2", "Y3"}, True),
        ({"X1", "X3", "Y1", "Y2"}, True),
        ({"X1", "X2", "X3"}, False),
        ({"X1", "Y1", "Y2", "Y3"}, False),
        ({"Y1"}, False),
        (set(), False),
    ],
)
def test_the_example_counts_as_its_text_says(cosigned_by: set[str], enough: bool) -> None:
    assert Policy.parse(EXAMPLE).satisfied_by(cosigned_by) is enough


def test_none_asks_for_nobody() -> None:
    policy = Policy.parse(f"log {LOG.verifier.spelling()}\nquorum none\n")
    assert policy.satisfied_by(())
    assert policy.open(cosigned()).size == 7


def test_witnesses_are_counted_by_their_signatures() -> None:
    lines = [f"witness W{i} {key.verifier.spelling()}" for i, key in enumerate(WITNESSES)]
    policy = Policy.parse(
        "\n".join([f"log {LOG.verifier.spelling()}", *lines, "group all-of-them all W0 W1"]) + "\nquorum all-of-them"
    )
    assert policy.witnesses_of(cosigned()) == ("W0", "W1")
    other = SignerKey("another.example", Algorithm.ED25519, bytes(32)).verifier
    with pytest.raises(LogUnprovenError):
        Policy.parse(f"log {other.spelling()}\nquorum none").open(cosigned())


@pytest.mark.parametrize(
    "flaw",
    [
        EXAMPLE.replace("quorum X-and-Y", ""),
        EXAMPLE + "quorum none\n",
        EXAMPLE.replace("group X-witnesses 2", "group X-witnesses 4"),
        EXAMPLE.replace("group X-witnesses 2", "group X-witnesses 0"),
        EXAMPLE.replace("2 X1 X2 X3", "2 X1 X2 Y1"),  # Y1 stands below
        EXAMPLE.replace("2 X1 X2 X3", "2 X1 X1 X3"),
        EXAMPLE.replace("any Y1 Y2 Y3", "any Y1 Y2 X3"),  # one voice in two groups
        EXAMPLE.replace("any Y1 Y2 Y3", "any none"),
        EXAMPLE.replace(f"witness X2 {KEYS['X2']}", f"witness X2 {KEYS['X1']}"),  # one key, two voices
        EXAMPLE.replace(f"log {LOG.verifier.spelling()}", f"log {KEYS['X1']}"),  # a witness is no log
        EXAMPLE.replace(KEYS["X1"], LOG.verifier.spelling()),
        EXAMPLE.replace("quorum X-and-Y", "quorum Z"),
        EXAMPLE.replace("quorum", "quota"),
        "quorum none\n" + "# padding\n" * 600,
    ],
)
def test_a_policy_that_is_not_clear_is_refused(flaw: str) -> None:
    with pytest.raises(LogFormatError):
        Policy.parse(flaw)
