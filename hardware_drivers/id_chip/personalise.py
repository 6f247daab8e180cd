"""Making a card: what a state's personalisation office does, for generated people only.

    python -m hardware_drivers.id_chip.personalise --portrait face.jpg --name "ZHANG<<WEI" \\
        --out card.json --csca-out trust/csca.der
"""

import argparse
import hashlib
import io
import secrets
import sys
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image, ImageOps, UnidentifiedImageError

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.card_file import PersonalisedCard
from hardware_drivers.id_chip.card_protection import (
    ActiveAuthenticationKind,
    ChipAuthenticationKind,
    PaceKind,
    Protection,
    protect,
)
from hardware_drivers.id_chip.cms_signing import signed_data
from hardware_drivers.id_chip.files import DATA_GROUP_TAGS, EF_COM, EF_SOD, data_group
from hardware_drivers.id_chip.issuer import KeyKind, TestIssuer
from hardware_drivers.id_chip.keys import RandomBytes
from hardware_drivers.id_chip.mrz import MrzKey, check_digit
from hardware_drivers.id_chip.portrait import look_at
from hardware_drivers.id_chip.simulated_proofs import ChipSecrets
from hardware_drivers.id_chip.sod import SECURITY_OBJECT, LdsSecurityObject

NO_PROTECTION = Protection()
PORTRAIT_BOX_PX = (480, 640)  # above the 413 x 531 of Doc 9303-9's example; keeps DG2 near 40 KB
PORTRAIT_QUALITY = 85
NAME_LENGTH = 30  # TD1, lower line


class Defect(StrEnum):
    """What can be wrong with a card on purpose."""

    EXPIRED = "expired"
    FOREIGN_ISSUER = "foreign_issuer"  # signed by a state nobody trusts
    TAMPERED_DG2 = "tampered_dg2"  # one bit of the portrait changed after signing
    TAMPERED_DG1 = "tampered_dg1"  # a valid zone of another document number put in after signing
    WRONG_SOD_SIGNATURE = "wrong_sod_signature"
    FORGED_SIGNER = "forged_signer"  # a signer certificate that only claims the trusted issuer's name
    WRONG_CHECK_DIGIT = "wrong_check_digit"
    HUGE_LENGTH = "huge_length"  # DG2 announces 16 MB
    NO_PORTRAIT = "no_portrait"  # DG2 holds something that is no picture, properly signed
    COPIED = "copied"  # every file of another chip, none of its private keys: the copier made his own
    COPIED_MUTE = "copied_mute"  # the same, and refuses whatever would show it
    SWAPPED_KEYS = "swapped_keys"  # DG14 and DG15 replaced by the copier's, who can prove those


@dataclass(frozen=True, slots=True)
class Person:
    """A generated person and the document made out to them.

    Attributes:
        surname, given_names: A-Z and spaces.
        document_number: A-Z and 0-9, at most nine.
        sex: M, F or X.
    """

    surname: str
    given_names: str
    document_number: str
    date_of_birth: date
    date_of_expiry: date
    sex: str = "X"
    nationality: str = "UTO"
    issuing_state: str = "UTO"

    @property
    def key(self) -> MrzKey:
        """What opens the chip."""
        return MrzKey(self.document_number, self.date_of_birth, self.date_of_expiry)


def td1_lines(person: Person) -> tuple[str, str, str]:
    """The three lines of an identity card, Doc 9303-5 §4.2.2."""
    number = person.document_number.ljust(9, "<")
    birth, expiry = f"{person.date_of_birth:%y%m%d}", f"{person.date_of_expiry:%y%m%d}"
    sex = "<" if person.sex == "X" else person.sex
    upper = f"I<{person.issuing_state:<<3}{number}{check_digit(number)}".ljust(30, "<")
    middle = f"{birth}{check_digit(birth)}{sex}{expiry}{check_digit(expiry)}{person.nationality:<<3}".ljust(29, "<")
    middle += check_digit(upper[5:30] + middle[:7] + middle[8:15] + middle[18:29])
    names = f"{person.surname}<<{person.given_names}".replace(" ", "<")[:NAME_LENGTH].ljust(NAME_LENGTH, "<")
    return upper, middle, names


def portrait_for_chip(photograph: bytes) -> bytes:
    """A photograph as a JPEG that fits a chip: upright, no metadata, at most 480 x 640 pixels.

    `MalformedFileError` when it is no picture.
    """
    try:
        with Image.open(io.BytesIO(photograph)) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise MalformedFileError("portrait", "no picture") from error
    upright.thumbnail(PORTRAIT_BOX_PX)
    stored = io.BytesIO()
    upright.save(stored, "JPEG", quality=PORTRAIT_QUALITY)
    return stored.getvalue()


def personalise(
    person: Person,
    portrait_jpeg: bytes,
    issuer: TestIssuer,
    rng: RandomBytes,
    *,
    defects: Collection[Defect] = (),
    protection: Protection = NO_PROTECTION,
    with_details: bool = False,
) -> PersonalisedCard:
    """A card for that person, signed by that issuer.

    Args:
        portrait_jpeg: Taken as it is; `portrait_for_chip` makes one from a photograph.
        rng: For the keys of a foreign issuer.
        defects: What is to be wrong with it; a copy only shows where there is protection.
        protection: PACE, chip and active authentication, fingerprints behind terminal authentication.
        with_details: Store further text (DG11) as well.
    """
    if Defect.EXPIRED in defects:
        person = replace(person, date_of_expiry=issuer.made_at.date() - timedelta(days=1))
    if Defect.FOREIGN_ISSUER in defects:
        issuer = TestIssuer.create(rng, issuer.made_at, country="XO")
    lines = td1_lines(person)
    if Defect.WRONG_CHECK_DIGIT in defects:
        upper, middle, names = lines
        lines = (upper, middle[:-1] + str((int(middle[-1]) + 1) % 10), names)
    picture = b"no picture" if Defect.NO_PORTRAIT in defects else portrait_jpeg
    size = (0, 0) if Defect.NO_PORTRAIT in defects else (look_at(picture).width_px, look_at(picture).height_px)
    chip = protect(protection, person.key, issuer, rng)
    groups = {1: _dg1(lines), 2: _dg2(picture, *size), **chip.groups}
    if with_details:
        groups[11] = _dg11(person)
    groups = dict(sorted(groups.items()))
    sod = _sod(groups, _forged(issuer, rng) if Defect.FORGED_SIGNER in defects else issuer)
    if Defect.TAMPERED_DG1 in defects:
        groups[1] = _dg1(td1_lines(replace(person, surname="OTHER")))
    if Defect.TAMPERED_DG2 in defects:
        groups[2] = groups[2][:-40] + bytes((groups[2][-40] ^ 1,)) + groups[2][-39:]
    if Defect.HUGE_LENGTH in defects:
        groups[2] = b"\x75\x83\xff\xff\xff" + groups[2][tlv.read_header(groups[2]).header_length :]
    if Defect.WRONG_SOD_SIGNATURE in defects:
        sod = sod[:-1] + bytes((sod[-1] ^ 1,))
    secrets, pace = chip.secrets, chip.pace
    if {Defect.COPIED, Defect.SWAPPED_KEYS} & set(defects):
        copier = protect(protection, person.key, issuer, rng)
        secrets = copier.secrets
        if pace is not None and copier.pace is not None:
            pace = replace(pace, static_key=copier.pace.static_key)
        if Defect.SWAPPED_KEYS in defects:
            groups |= {number: content for number, content in copier.groups.items() if number in (14, 15)}
    if Defect.COPIED_MUTE in defects:
        secrets = ChipSecrets()
    files = {data_group(number).fid: content for number, content in groups.items()} | chip.others
    return PersonalisedCard({EF_COM.fid: _com(groups), EF_SOD.fid: sod, **files}, lines, person.key, secrets, pace)


def _forged(issuer: TestIssuer, rng: RandomBytes) -> TestIssuer:
    """A signer whose certificate names the issuer's authority, signed by somebody else's key."""
    kind = KeyKind.RSA
    if isinstance(issuer.signer_key, ec.EllipticCurvePrivateKey):
        kind = KeyKind(issuer.signer_key.curve.name)
    impostor = TestIssuer.create(rng, issuer.made_at, kind=kind)
    genuine = asn1_x509.Certificate.load(issuer.signer_der)
    forged = asn1_x509.Certificate.load(impostor.signer_der)
    body = forged["tbs_certificate"].copy()
    body["issuer"] = genuine["tbs_certificate"]["issuer"]
    forged["tbs_certificate"] = body
    return replace(impostor, signer_der=forged.dump(force=True))


def _com(groups: Collection[int]) -> bytes:
    """EF.COM, Doc 9303-10 §4.6.1: LDS 1.7, Unicode 4.0.0, and the tags present."""
    tags = bytes(DATA_GROUP_TAGS[number] for number in groups)
    inner = tlv.encode(0x5F01, b"0107") + tlv.encode(0x5F36, b"040000") + tlv.encode(0x5C, tags)
    return tlv.encode(EF_COM.tag, inner)


def _dg1(lines: tuple[str, ...]) -> bytes:
    """DG1, Doc 9303-10 §4.7.1."""
    return tlv.encode(DATA_GROUP_TAGS[1], tlv.encode(0x5F1F, "".join(lines).encode("ascii")))


def _dg2(picture: bytes, width_px: int, height_px: int) -> bytes:
    """DG2, Doc 9303-10 §4.7.2, with one full-frontal JPEG in an ISO/IEC 19794-5:2005 record."""
    # §5.7: type 1 full frontal, data type 0 JPEG, size, colour space 1 sRGB, source 2 still camera, device, quality
    image = bytes((1, 0)) + width_px.to_bytes(2, "big") + height_px.to_bytes(2, "big") + bytes((1, 2, 0, 0, 0, 0))
    # §5.5: length, no feature points, everything else unspecified
    facial = (20 + len(image) + len(picture)).to_bytes(4, "big") + bytes(16)
    record = b"FAC\x00010\x00" + (14 + len(facial + image + picture)).to_bytes(4, "big") + b"\x00\x01"
    # biometric header template: version 1.1, type facial features, format owner JTC 1/SC 37, format 19794-5
    header = b"".join(
        tlv.encode(tag, bytes.fromhex(value))
        for tag, value in ((0x80, "0101"), (0x81, "02"), (0x87, "0101"), (0x88, "0008"))
    )
    block = tlv.encode(0x5F2E, record + facial + image + picture)
    instance = tlv.encode(0x7F60, tlv.encode(0xA1, header) + block)
    return tlv.encode(DATA_GROUP_TAGS[2], tlv.encode(0x7F61, tlv.encode(0x02, b"\x01") + instance))


def _sod(groups: dict[int, bytes], issuer: TestIssuer) -> bytes:
    """EF.SOD over these files, Doc 9303-10 §4.6.2, with SHA-256 throughout."""
    security_object: bytes = LdsSecurityObject(
        {
            "version": 0,
            "hash_algorithm": {"algorithm": "sha256"},
            "hashes": [{"number": n, "hash": hashlib.sha256(content).digest()} for n, content in groups.items()],
        }
    ).dump()
    return tlv.encode(EF_SOD.tag, signed_data(SECURITY_OBJECT, security_object, issuer))


def _dg11(person: Person) -> bytes:
    """DG11, Doc 9303-10 §4.7.11: the full name and the full date of birth."""
    name = f"{person.surname}<<{person.given_names}".replace(" ", "<").encode("utf-8")
    birth = f"{person.date_of_birth:%Y%m%d}".encode("ascii")
    fields = tlv.encode(0x5F0E, name) + tlv.encode(0x5F2B, birth)
    return tlv.encode(DATA_GROUP_TAGS[11], tlv.encode(0x5C, bytes.fromhex("5F0E5F2B")) + fields)


def _arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portrait", type=Path, required=True, help="photograph of the generated person")
    parser.add_argument("--name", required=True, help='as in the zone, "ZHANG<<WEI"')
    parser.add_argument("--number", default="", help="document number; a random one when left out")
    parser.add_argument("--birth", type=date.fromisoformat, default=date(1990, 5, 17))
    parser.add_argument("--expiry", type=date.fromisoformat, default=None, help="five years from now when left out")
    parser.add_argument("--sex", choices=["M", "F", "X"], default="X")
    parser.add_argument("--out", type=Path, required=True, help="card.json to write")
    parser.add_argument("--csca-out", type=Path, help="certificate to trust, to write")
    parser.add_argument("--issuer", type=Path, help="issuer to use again; made here when it does not exist")
    parser.add_argument("--key-kind", type=KeyKind, choices=list(KeyKind), default=KeyKind.BRAINPOOL_P256)
    parser.add_argument("--pace", type=PaceKind, choices=list(PaceKind), help="open by PACE as well")
    parser.add_argument("--can", default="123456", help="card access number, with --pace")
    parser.add_argument("--chip-authentication", type=ChipAuthenticationKind, choices=list(ChipAuthenticationKind))
    parser.add_argument(
        "--active-authentication", type=ActiveAuthenticationKind, choices=list(ActiveAuthenticationKind)
    )
    parser.add_argument("--details", action="store_true", help="store further text (DG11)")
    parser.add_argument("--inspection-authority", type=Path, help="CV certificate; puts DG3 behind its terminals")
    for defect in Defect:
        parser.add_argument(f"--{defect.value.replace('_', '-')}", action="store_true", help="make it so")
    return parser.parse_args()


def main() -> int:
    """Write the card, print the lines to type."""
    arguments = _arguments()
    now = datetime.now(UTC).replace(microsecond=0)
    rng = secrets.token_bytes
    surname, _, given = arguments.name.upper().partition("<<")
    person = Person(
        surname=surname.replace("<", " "),
        given_names=given.replace("<", " "),
        document_number=(arguments.number or f"VC{secrets.randbelow(10**7):07d}").upper(),
        date_of_birth=arguments.birth,
        date_of_expiry=arguments.expiry or now.date() + timedelta(days=5 * 365),
        sex=arguments.sex,
    )
    try:
        if arguments.issuer and arguments.issuer.exists():
            issuer = TestIssuer.load(arguments.issuer)
        else:
            issuer = TestIssuer.create(rng, now, kind=arguments.key_kind)
            if arguments.issuer:
                issuer.save(arguments.issuer)
        portrait = portrait_for_chip(arguments.portrait.read_bytes())
        defects = {defect for defect in Defect if getattr(arguments, defect.value)}
        protection = Protection(
            pace=arguments.pace,
            can=arguments.can,
            chip=arguments.chip_authentication,
            active=arguments.active_authentication,
            inspection_authority=arguments.inspection_authority and arguments.inspection_authority.read_bytes(),
        )
        card = personalise(
            person, portrait, issuer, rng, defects=defects, protection=protection, with_details=arguments.details
        )
        card.save(arguments.out)
        if arguments.csca_out:
            arguments.csca_out.write_bytes(issuer.csca_der)
    except (OSError, MalformedFileError) as error:
        print(f"no card made: {error}", file=sys.stderr)
        return 2
    print("\n".join(card.mrz_lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
