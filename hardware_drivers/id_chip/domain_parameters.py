"""Where a Diffie-Hellman happens: standard numbers, or an algorithm identifier that spells them out.

Doc 9303-11 §9.5, TR-03110-3 §A.2.1.
"""

from dataclasses import dataclass

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import der, tlv
from hardware_drivers.id_chip.curves import CURVES, Curve, curve_named, curve_with
from hardware_drivers.id_chip.modular_groups import GROUPS, ModularGroup, group_with

Domain = Curve | ModularGroup

# Doc 9303-11 §9.5.1, table "Standardized domain parameters"; 3 to 7 and 19 to 31 are reserved
STANDARD_CURVES = {
    8: "secp192r1",
    9: "brainpoolP192r1",
    10: "secp224r1",
    11: "brainpoolP224r1",
    12: "secp256r1",
    13: "brainpoolP256r1",
    14: "brainpoolP320r1",
    15: "secp384r1",
    16: "brainpoolP384r1",
    17: "brainpoolP512r1",
    18: "secp521r1",
}
STANDARD_DOMAINS: dict[int, Domain] = dict(enumerate(GROUPS)) | {
    number: curve for number, name in STANDARD_CURVES.items() for curve in CURVES if curve.name == name
}

STANDARDIZED = "0.4.0.127.0.7.1.2"  # TR-03110-3 §A.2.1.1
EC_PUBLIC_KEY = "1.2.840.10045.2.1"  # RFC 5480 §2.1.1
EC_DH = "1.3.132.1.12"  # RFC 5480 §2.1.2
EC_KEY_AGREEMENT = "0.4.0.127.0.7.1.1.5.2."  # TR-03111 §5.3, in use on German test cards
DH_PUBLIC_NUMBER = "1.2.840.10046.2.1"  # RFC 3279 §2.3.3: p, g, q
DH_KEY_AGREEMENT = "1.2.840.113549.1.3.1"  # PKCS #3 §9: p, g, and a length
PRIME_FIELD = "1.2.840.10045.1.1"  # RFC 3279 §2.3.5


@dataclass(frozen=True, slots=True)
class AgreementKey:
    """A public key for Diffie-Hellman, checked to belong to its domain.

    Attributes:
        element: 04 and both coordinates on a curve, the number in the prime's length otherwise.
    """

    domain: Domain
    element: bytes


def standard_domain(parameter_id: int) -> Domain | None:
    """The domain with this standard number, or None."""
    return STANDARD_DOMAINS.get(parameter_id)


def domain_of(algorithm_identifier: bytes) -> Domain:
    """The domain that the value of an AlgorithmIdentifier means; `MalformedFileError` when it is none we know."""
    parts = tlv.parse_all(algorithm_identifier)
    if len(parts) != 2:
        raise MalformedFileError("domain parameters", f"algorithm of {len(parts)} parts")
    oid = der.object_identifier(der.expect(parts[0], der.OBJECT_IDENTIFIER, "domain parameters"))
    if oid == STANDARDIZED:
        found: Domain | None = standard_domain(der.unsigned(der.expect(parts[1], der.INTEGER, "domain parameters")))
    elif oid in (EC_PUBLIC_KEY, EC_DH) or oid.startswith(EC_KEY_AGREEMENT):
        found = _curve(parts[1])
    elif oid in (DH_PUBLIC_NUMBER, DH_KEY_AGREEMENT):
        found = _group(parts[1], with_order=oid == DH_PUBLIC_NUMBER)
    else:
        raise MalformedFileError("domain parameters", "neither Diffie-Hellman nor elliptic curve")
    if found is None:
        raise MalformedFileError("domain parameters", "none of the known ones")
    return found


def _curve(parameters: tlv.Tlv) -> Curve | None:
    """The curve, named or spelled out as ECParameters (RFC 3279 §2.3.5)."""
    if parameters.tag == der.OBJECT_IDENTIFIER:
        return curve_named(der.object_identifier(parameters.value))
    parts = tlv.parse_all(der.expect(parameters, der.SEQUENCE, "curve"))
    tags = [der.INTEGER, der.SEQUENCE, der.SEQUENCE, der.OCTET_STRING, der.INTEGER, der.INTEGER]
    if [part.tag for part in parts] not in (tags, tags[:-1]):
        raise MalformedFileError("curve", "spelled out in another way than X9.62 does")
    field, shape = tlv.parse_all(parts[1].value), tlv.parse_all(parts[2].value)
    if len(field) != 2 or not 2 <= len(shape) <= 3:
        raise MalformedFileError("curve", "field or coefficients missing")
    if der.object_identifier(der.expect(field[0], der.OBJECT_IDENTIFIER, "curve")) != PRIME_FIELD:
        raise MalformedFileError("curve", "not over a prime field")
    a, b = (int.from_bytes(der.expect(part, der.OCTET_STRING, "curve"), "big") for part in shape[:2])
    return curve_with(
        p=der.unsigned(der.expect(field[1], der.INTEGER, "curve")),
        a=a,
        b=b,
        base=parts[3].value,
        n=der.unsigned(parts[4].value),
        cofactor=der.unsigned(parts[5].value) if len(parts) == 6 else None,
    )


def _group(parameters: tlv.Tlv, *, with_order: bool) -> ModularGroup:
    """The prime group of RFC 3279 §2.3.3 or of PKCS #3."""
    parts = tlv.parse_all(der.expect(parameters, der.SEQUENCE, "diffie-hellman group"))
    if len(parts) < 2 + with_order:
        raise MalformedFileError("diffie-hellman group", f"{len(parts)} numbers")
    p, g, *rest = (der.expect(part, der.INTEGER, "diffie-hellman group") for part in parts[: 2 + with_order])
    return group_with(der.unsigned(p), der.unsigned(g), der.unsigned(rest[0]) if rest else None)


def public_key_of(subject_public_key_info: bytes) -> AgreementKey:
    """The key in the value of a SubjectPublicKeyInfo; `MalformedFileError` when it does not belong to its domain."""
    parts = tlv.parse_all(subject_public_key_info)
    if len(parts) != 2:
        raise MalformedFileError("public key", f"{len(parts)} parts")
    domain = domain_of(der.expect(parts[0], der.SEQUENCE, "public key"))
    encoded = der.bits(der.expect(parts[1], der.BIT_STRING, "public key"))
    if isinstance(domain, Curve):
        point = domain.decode(encoded)
        if point is None:
            raise MalformedFileError("public key", "no point of its curve")
        return AgreementKey(domain, domain.encode(point))
    number = der.unsigned(tlv.only(encoded, der.INTEGER))
    if not domain.holds(number):
        raise MalformedFileError("public key", "not of its group")
    return AgreementKey(domain, number.to_bytes(domain.field_bytes, "big"))
