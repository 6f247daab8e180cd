"""A personalised card on disk: one JSON file, or a folder with the files of a published specimen."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.domain_parameters import STANDARD_DOMAINS, Domain
from hardware_drivers.id_chip.files import EF_COM, EF_SOD, data_group
from hardware_drivers.id_chip.lds import parse_dg1
from hardware_drivers.id_chip.mrz import MrzKey, birth_date, expiry_date
from hardware_drivers.id_chip.pace_password import PacePassword, PasswordKind
from hardware_drivers.id_chip.simulated_pace import PaceProfile
from hardware_drivers.id_chip.simulated_proofs import ChipSecrets, StaticKey

NO_SECRETS = ChipSecrets()
# How published specimens name their files: Datagroup1.bin, EF_COM.bin (BSI 2008); ef0101.bin (NL 2006).
SPECIMEN_NAMES = re.compile(r"(?:Datagroup(?P<group>\d+)|EF_(?P<name>COM|SOD)|ef(?P<fid>01[0-9A-Fa-f]{2}))\.bin")


@dataclass(frozen=True, slots=True)
class PersonalisedCard:
    """Everything a simulated chip stores, and what is printed on it.

    Attributes:
        files: File identifier (0x0101) to the whole file.
        mrz_lines: As printed, so that a test can type them.
        key: What those lines give for basic access.
        secrets: What the chip keeps to itself; a copy of the files has none.
        pace: How it is opened besides basic access, None where it is not.
    """

    files: Mapping[int, bytes]
    mrz_lines: tuple[str, ...]
    key: MrzKey
    secrets: ChipSecrets = NO_SECRETS
    pace: PaceProfile | None = None

    def save(self, path: Path) -> None:
        """Write the card as JSON."""
        document = {
            "mrz": list(self.mrz_lines),
            "document_number": self.key.document_number,
            "date_of_birth": self.key.date_of_birth.isoformat(),
            "date_of_expiry": self.key.date_of_expiry.isoformat(),
            "files": {f"{fid:04X}": base64.b64encode(content).decode() for fid, content in self.files.items()},
            "secrets": _secrets_document(self.secrets),
            "pace": None if self.pace is None else _pace_document(self.pace),
        }
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """The card in a JSON file that `save` wrote, or in a folder of specimen files.

        `MalformedFileError` when it is neither; a specimen's printed lines are those of its DG1.
        """
        return cls._from_folder(path) if path.is_dir() else cls._from_json(path)

    @classmethod
    def _from_json(cls, path: Path) -> Self:
        """The inverse of `save`."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                files={int(fid, 16): base64.b64decode(text) for fid, text in document["files"].items()},
                mrz_lines=tuple(document["mrz"]),
                key=MrzKey(
                    document["document_number"],
                    date.fromisoformat(document["date_of_birth"]),
                    date.fromisoformat(document["date_of_expiry"]),
                ),
                secrets=_secrets_from(document["secrets"]) if "secrets" in document else NO_SECRETS,
                pace=_pace_from(document["pace"]) if document.get("pace") is not None else None,
            )
        except (KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
            raise MalformedFileError("card file", type(error).__name__) from error

    @classmethod
    def _from_folder(cls, folder: Path) -> Self:
        """Files by their published names."""
        files: dict[int, bytes] = {}
        for path in sorted(folder.iterdir()):
            named = SPECIMEN_NAMES.fullmatch(path.name)
            if named is None:
                continue
            if named["group"]:
                fid = data_group(int(named["group"])).fid
            else:
                fid = int(named["fid"], 16) if named["fid"] else {"COM": EF_COM, "SOD": EF_SOD}[named["name"]].fid
            files[fid] = path.read_bytes()
        if 0x0101 not in files:
            raise MalformedFileError("card folder", "holds no DG1")
        mrz = parse_dg1(files[0x0101])
        born = birth_date(mrz.date_of_birth, date.today())
        if born is None:
            raise MalformedFileError("date_of_birth", "unknown in part; no key can be made from it")
        return cls(files, (), MrzKey(mrz.document_number, born, expiry_date(mrz.date_of_expiry)))


def _secrets_document(secrets: ChipSecrets) -> dict[str, Any]:
    """As JSON values, numbers in hexadecimal."""
    return {
        "active_key": secrets.active_key.hex(),
        "active_digest": secrets.active_digest,
        "static_keys": [
            {
                "oid": key.oid,
                "parameter_id": _parameter_id(key.domain),
                "private": f"{key.private:x}",
                "key_id": key.key_id,
                "version": key.version,
            }
            for key in secrets.static_keys
        ],
        "trust_point": secrets.trust_point.hex(),
        "today": None if secrets.today is None else secrets.today.isoformat(),
    }


def _secrets_from(document: dict[str, Any]) -> ChipSecrets:
    """The inverse."""
    return ChipSecrets(
        active_key=bytes.fromhex(document["active_key"]),
        active_digest=document["active_digest"],
        static_keys=tuple(
            StaticKey(
                oid=key["oid"],
                domain=STANDARD_DOMAINS[key["parameter_id"]],
                private=int(key["private"], 16),
                key_id=key["key_id"],
                version=key["version"],
            )
            for key in document["static_keys"]
        ),
        trust_point=bytes.fromhex(document["trust_point"]),
        today=None if document["today"] is None else date.fromisoformat(document["today"]),
    )


def _pace_document(pace: PaceProfile) -> dict[str, Any]:
    """As JSON values."""
    return {
        "card_access": pace.card_access.hex(),
        "card_security": None if pace.card_security is None else pace.card_security.hex(),
        "static_key": None if pace.static_key is None else f"{pace.static_key:x}",
        "passwords": [[int(password.kind), password.seed.hex()] for password in pace.passwords],
    }


def _pace_from(document: dict[str, Any]) -> PaceProfile:
    """The inverse."""
    return PaceProfile(
        card_access=bytes.fromhex(document["card_access"]),
        passwords=tuple(PacePassword(PasswordKind(kind), bytes.fromhex(seed)) for kind, seed in document["passwords"]),
        card_security=None if document["card_security"] is None else bytes.fromhex(document["card_security"]),
        static_key=None if document["static_key"] is None else int(document["static_key"], 16),
    )


def _parameter_id(domain: Domain) -> int:
    """The standard number of these parameters; cards made here use no others."""
    return next(number for number, known in STANDARD_DOMAINS.items() if known == domain)
