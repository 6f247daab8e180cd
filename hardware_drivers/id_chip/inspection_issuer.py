"""A state's certification of terminals, for tests: authority, document verifier, terminal (TR-03110-1 §2.2)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.curves import CURVES, Curve
from hardware_drivers.id_chip.cv_certificate import (
    AUTHORITY,
    BODY,
    CERTIFICATE,
    EFFECTIVE,
    EXPIRES,
    HOLDER,
    INSPECTION_SYSTEM,
    OID,
    PROFILE,
    PUBLIC_KEY,
    RIGHTS,
    SIGNATURE,
    TA_OID,
    TEMPLATE,
    CvCertificate,
    ReadRight,
    Role,
)
from hardware_drivers.id_chip.keys import RandomBytes
from hardware_drivers.id_chip.terminal_auth import TerminalCredential

CURVE_NAME = "brainpoolP256r1"
ECDSA_SHA256 = TA_OID + b"\x02\x03"
DAYS = {Role.AUTHORITY: 1000, Role.DOMESTIC_VERIFIER: 90, Role.TERMINAL: 30}


@dataclass(frozen=True, slots=True)
class InspectionIssuer:
    """One generated state's chain, and the terminal's key at its end.

    Attributes:
        authority: The self-signed certificate; chips of this state carry it as their trust point.
        verifier, terminal: One below the other.
        terminal_key: PKCS#8 in DER.
    """

    authority: bytes
    verifier: bytes
    terminal: bytes
    terminal_key: bytes

    @classmethod
    def create(cls, rng: RandomBytes, at: datetime, *, country: str = "UT", rights: ReadRight = ReadRight.DG3) -> Self:
        """A new chain whose terminal may read what `rights` says."""
        keys = [ec.derive_private_key(1 + int.from_bytes(rng(31), "big"), ec.BrainpoolP256R1()) for _ in range(3)]
        names = [f"{country}{mnemonic}00001".encode("ascii") for mnemonic in ("TESTCVCA", "TESTDV", "TESTIS")]
        today, everything = at.date(), ReadRight.DG3 | ReadRight.DG4
        authority = _certificate(names[0], keys[0], names[0], keys[0], Role.AUTHORITY, everything, today)
        verifier = _certificate(names[0], keys[0], names[1], keys[1], Role.DOMESTIC_VERIFIER, everything, today)
        terminal = _certificate(names[1], keys[1], names[2], keys[2], Role.TERMINAL, rights, today)
        return cls(authority, verifier, terminal, _pkcs8(keys[2]))

    def credential(self) -> TerminalCredential:
        """What an operator holds."""
        certificates = [CvCertificate.parse(der) for der in (self.authority, self.verifier, self.terminal)]
        return TerminalCredential.of(certificates, self.terminal_key)

    def save(self, folder: Path) -> None:
        """As files in the folder that `TerminalCredential.load` reads."""
        for name in ("authority", "verifier", "terminal"):
            (folder / f"{name}.cvcert").write_bytes(getattr(self, name))
        key = folder / "terminal.pkcs8"
        key.touch(mode=0o600)
        key.write_bytes(self.terminal_key)


def _certificate(
    issuer: bytes,
    issuer_key: ec.EllipticCurvePrivateKey,
    holder: bytes,
    key: ec.EllipticCurvePrivateKey,
    role: Role,
    rights: ReadRight,
    today: date,
) -> bytes:
    """One certificate; only the authority's spells its curve out (TR-03110-3 §D.3.3)."""
    curve = next(curve for curve in CURVES if curve.name == CURVE_NAME)
    numbers = key.public_key().public_numbers()
    point = tlv.encode(0x86, curve.encode((numbers.x, numbers.y)))
    before, after = _parameters(curve) if role is Role.AUTHORITY else (b"", b"")
    inner = b"".join(
        (
            tlv.encode(PROFILE, b"\x00"),
            tlv.encode(AUTHORITY, issuer),
            tlv.encode(PUBLIC_KEY, tlv.encode(OID, ECDSA_SHA256) + before + point + after),
            tlv.encode(HOLDER, holder),
            tlv.encode(TEMPLATE, tlv.encode(OID, INSPECTION_SYSTEM) + tlv.encode(RIGHTS, bytes((role << 6 | rights,)))),
            tlv.encode(EFFECTIVE, _day(today - timedelta(days=1))),
            tlv.encode(EXPIRES, _day(today + timedelta(days=DAYS[role]))),
        )
    )
    body = tlv.encode(BODY, inner)
    r, s = utils.decode_dss_signature(issuer_key.sign(body, ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(curve.field_bytes, "big") + s.to_bytes(curve.field_bytes, "big")
    return tlv.encode(CERTIFICATE, body + tlv.encode(SIGNATURE, signature))


def _parameters(curve: Curve) -> tuple[bytes, bytes]:
    """The curve's numbers, before and behind the public point."""
    fields = ((0x81, curve.p), (0x82, curve.a), (0x83, curve.b))
    before = b"".join(tlv.encode(tag, number.to_bytes(curve.field_bytes, "big")) for tag, number in fields)
    before += tlv.encode(0x84, curve.encode((curve.x, curve.y)))
    before += tlv.encode(0x85, curve.n.to_bytes(curve.field_bytes, "big"))
    return before, tlv.encode(0x87, b"\x01")


def _day(day: date) -> bytes:
    """YYMMDD, one digit per byte."""
    return bytes(int(digit) for digit in f"{day:%y%m%d}")


def _pkcs8(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The private key's file."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
