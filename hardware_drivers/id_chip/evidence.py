"""What a reading brings home: the files as the chip gave them and the proofs it made, unjudged.

Evidence goes over the wire, into a record, and into `evidence.json`, and is judged by `verify.py` wherever it lies.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.active_auth import SIGNATURE_MAX, ActiveAuthenticationProof
from hardware_drivers.id_chip.curves import curve_named
from hardware_drivers.id_chip.files import COM_LONGEST, DATA_GROUP_LONGEST, DATA_GROUP_TAGS, SOD_LONGEST
from hardware_drivers.id_chip.pace_mapping import MappingProof

FORMAT = "visual-counter-chip-evidence/1"
FILE_MAX = 8_000_000  # 16 groups of 400 KB are 8.5 MB of base64; nothing real is near it
PROTOCOL_BYTES_MAX = 4096  # a protected command or answer, a public key of a 4096-bit group
TEXT_MAX = 64
FILES = {"access", "atr", "ef_com", "ef_sod", "data_groups", "read_ms"}
PROOFS_MAX = 131_072  # EF.CardSecurity of 64 KB in base64 is the largest part


@dataclass(frozen=True, slots=True)
class ChipAuthenticationProof:
    """One run of chip authentication and the first exchange under its new keys (Doc 9303-11 §6.2).

    Attributes:
        oid: The protocol run, of a ChipAuthenticationInfo; of the plain 3DES one where DG14 names none.
        key_id: Which of DG14's keys, where there are several.
        salt: What the terminal's ephemeral key was derived from together with the challenge; empty when the key is
            the counter's own and the reading terminal never knew it.
        terminal_public: That ephemeral key as the chip was told it.
        command: The first protected command afterwards, whole.
        answer: What came back; its MAC shows whether the chip has the key.
    """

    oid: str
    key_id: int | None
    salt: bytes
    terminal_public: bytes
    command: bytes
    answer: bytes


@dataclass(frozen=True, slots=True)
class ChipEvidence:
    """Files and proofs of one chip, byte for byte.

    Attributes:
        access: How the chip was opened, `BAC` or `PACE`.
        atr: Answer to reset.
        data_groups: Number of the data group to the whole file, its outer tag included.
        read_ms: From the first command to the last answer.
        ef_card_access: As read in clear before access, empty when the chip has none.
        ef_card_security: Signed infos outside the application, empty when not read.
        active_authentication, chip_authentication, mapping: Proofs against copies, as far as they were made.
        not_permitted: Data groups that the document has and this terminal may not read.
        timings_ms: Step of the reading to what it took.
    """

    access: str
    atr: bytes
    ef_com: bytes
    ef_sod: bytes
    data_groups: Mapping[int, bytes]
    read_ms: int
    ef_card_access: bytes = b""
    ef_card_security: bytes = b""
    active_authentication: ActiveAuthenticationProof | None = None
    chip_authentication: ChipAuthenticationProof | None = None
    mapping: MappingProof | None = None
    not_permitted: tuple[int, ...] = ()
    timings_ms: Mapping[str, int] = field(default_factory=dict)


def save_evidence(evidence: ChipEvidence, path: Path) -> None:
    """Write `evidence.json`. It holds what the document holds: the caller keeps it as such (mode 0600)."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(evidence_document(evidence), indent=1), encoding="utf-8")


def load_evidence(path: Path) -> ChipEvidence:
    """The inverse; `MalformedFileError` when the file is something else, `OSError` when it cannot be read."""
    if path.stat().st_size > FILE_MAX:
        raise MalformedFileError("evidence file", f"larger than {FILE_MAX} bytes")
    try:
        return parse_evidence(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise MalformedFileError("evidence file", "is no JSON") from error


def evidence_document(evidence: ChipEvidence) -> dict[str, Any]:
    """The evidence as JSON values, bytes in base64."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "access": evidence.access,
        "atr": _text(evidence.atr),
        "ef_card_access": _text(evidence.ef_card_access),
        "ef_card_security": _text(evidence.ef_card_security),
        "ef_com": _text(evidence.ef_com),
        "ef_sod": _text(evidence.ef_sod),
        "data_groups": {str(number): _text(content) for number, content in sorted(evidence.data_groups.items())},
        "not_permitted": list(evidence.not_permitted),
        "read_ms": evidence.read_ms,
        "timings_ms": dict(evidence.timings_ms),
    }
    if (active := evidence.active_authentication) is not None:
        document["active_authentication"] = {
            "challenge": _text(active.challenge),
            "signature": _text(active.signature),
        }
    if (chip := evidence.chip_authentication) is not None:
        document["chip_authentication"] = {
            "oid": chip.oid,
            "key_id": chip.key_id,
            "salt": _text(chip.salt),
            "terminal_public": _text(chip.terminal_public),
            "command": _text(chip.command),
            "answer": _text(chip.answer),
        }
    if (mapping := evidence.mapping) is not None:
        document["mapping"] = {
            "curve": mapping.domain.oid,
            "mapping_key": _text(mapping.mapping_key),
            "chip_data": _text(mapping.chip_data),
        }
    return document


def proofs_of(evidence: ChipEvidence) -> bytes:
    """Everything but the files of the application, as JSON: what travels beside them where a message carries those."""
    document = evidence_document(evidence)
    return json.dumps({name: value for name, value in document.items() if name not in FILES}).encode()


def with_proofs(evidence: ChipEvidence, proofs: bytes) -> ChipEvidence:
    """The evidence with what `proofs_of` wrote; `MalformedFileError` for anything else."""
    if len(proofs) > PROOFS_MAX:
        raise MalformedFileError("proofs", f"{len(proofs)} bytes")
    try:
        carried = json.loads(proofs)
    except (ValueError, RecursionError) as error:
        raise MalformedFileError("proofs", "is no JSON") from error
    if not isinstance(carried, dict) or FILES & set(carried):
        raise MalformedFileError("proofs", "holds something else")
    files_only = replace(evidence, data_groups={}, ef_com=b"", ef_sod=b"")
    named = {name: value for name, value in evidence_document(files_only).items() if name in FILES}
    parsed = parse_evidence({**named, **carried})
    return replace(parsed, data_groups=evidence.data_groups, ef_com=evidence.ef_com, ef_sod=evidence.ef_sod)


def parse_evidence(document: object) -> ChipEvidence:
    """The evidence in these JSON values; every length is bounded, and a name nobody knows is refused."""
    try:
        fields = _Fields(document)
        if fields.word("format") != FORMAT:
            raise MalformedFileError("evidence", "of another format")
        groups = _Fields(fields.take("data_groups"))
        evidence = ChipEvidence(
            access=fields.word("access"),
            atr=fields.octets("atr", 64),
            ef_com=fields.octets("ef_com", COM_LONGEST),
            ef_sod=fields.octets("ef_sod", SOD_LONGEST),
            data_groups={
                number: groups.octets(str(number), DATA_GROUP_LONGEST)
                for number in DATA_GROUP_TAGS
                if str(number) in groups.left
            },
            read_ms=fields.number("read_ms"),
            ef_card_access=fields.octets("ef_card_access", SOD_LONGEST),
            ef_card_security=fields.octets("ef_card_security", SOD_LONGEST),
            active_authentication=_active(fields),
            chip_authentication=_chip(fields),
            mapping=_mapping(fields),
            not_permitted=_numbers(fields.take("not_permitted")),
            timings_ms=_timings(fields.take("timings_ms")),
        )
        groups.finish("data_groups")
        fields.finish("evidence")
    except (TypeError, AttributeError, ValueError, KeyError) as error:
        raise MalformedFileError("evidence", type(error).__name__) from error
    return evidence


class _Fields:
    """A JSON object whose members are taken out one by one; what is left over at the end is refused."""

    def __init__(self, document: object) -> None:
        if not isinstance(document, dict):
            raise MalformedFileError("evidence", "part that is no object")
        self.left: dict[str, object] = dict(document)

    def take(self, name: str) -> object:
        """That member; `MalformedFileError` when it is missing."""
        if name not in self.left:
            raise MalformedFileError("evidence", f"without {name}")
        return self.left.pop(name)

    def word(self, name: str) -> str:
        """A short text."""
        found = self.take(name)
        if not isinstance(found, str) or len(found) > TEXT_MAX:
            raise MalformedFileError("evidence", f"{name} is no short text")
        return found

    def number(self, name: str) -> int:
        """A whole number from 0."""
        found = self.take(name)
        if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < 2**31:
            raise MalformedFileError("evidence", f"{name} is no number of ours")
        return found

    def octets(self, name: str, longest: int) -> bytes:
        """Bytes in base64, at most `longest`."""
        found = self.take(name)
        if not isinstance(found, str) or len(found) > (longest + 2) // 3 * 4:
            raise MalformedFileError("evidence", f"{name} is no base64 of at most {longest} bytes")
        try:
            return base64.b64decode(found, validate=True)
        except binascii.Error as error:
            raise MalformedFileError("evidence", f"{name} is no base64") from error

    def part(self, name: str) -> "_Fields | None":
        """An object inside, where there is one."""
        return _Fields(self.take(name)) if name in self.left else None

    def finish(self, where: str) -> None:
        """Nothing may be left."""
        if self.left:
            raise MalformedFileError(where, f"{len(self.left)} unknown members")


def _active(fields: _Fields) -> ActiveAuthenticationProof | None:
    """The proof of active authentication, if there is one."""
    part = fields.part("active_authentication")
    if part is None:
        return None
    proof = ActiveAuthenticationProof(part.octets("challenge", 32), part.octets("signature", SIGNATURE_MAX))
    part.finish("active_authentication")
    return proof


def _chip(fields: _Fields) -> ChipAuthenticationProof | None:
    """The proof of chip authentication, if there is one."""
    part = fields.part("chip_authentication")
    if part is None:
        return None
    key_id = None if part.left.get("key_id") is None else part.number("key_id")
    part.left.pop("key_id", None)
    proof = ChipAuthenticationProof(
        oid=part.word("oid"),
        key_id=key_id,
        salt=part.octets("salt", 64),
        terminal_public=part.octets("terminal_public", PROTOCOL_BYTES_MAX),
        command=part.octets("command", PROTOCOL_BYTES_MAX),
        answer=part.octets("answer", PROTOCOL_BYTES_MAX),
    )
    part.finish("chip_authentication")
    return proof


def _mapping(fields: _Fields) -> MappingProof | None:
    """The proof of PACE's mapping, if there is one."""
    part = fields.part("mapping")
    if part is None:
        return None
    curve = curve_named(part.word("curve"))
    if curve is None:
        raise MalformedFileError("mapping", "on a curve that is none of ours")
    proof = MappingProof(
        domain=curve,
        mapping_key=part.octets("mapping_key", PROTOCOL_BYTES_MAX),
        chip_data=part.octets("chip_data", PROTOCOL_BYTES_MAX),
    )
    part.finish("mapping")
    return proof


def _numbers(found: object) -> tuple[int, ...]:
    """Data group numbers."""
    if not isinstance(found, list) or not all(number in DATA_GROUP_TAGS for number in found):
        raise MalformedFileError("evidence", "not_permitted is no list of data groups")
    return tuple(found)


def _timings(found: object) -> dict[str, int]:
    """Steps and milliseconds."""
    part = _Fields(found)
    if len(part.left) > 64:
        raise MalformedFileError("evidence", "too many timings")
    return {name: part.number(name) for name in tuple(part.left) if len(name) <= TEXT_MAX}


def _text(content: bytes) -> str:
    """Base64."""
    return base64.b64encode(content).decode()
