"""DG11, more about the person: Doc 9303-10 §4.7.11."""

from dataclasses import dataclass

from hardware_drivers.id_chip.detail_fields import (
    PartialDate,
    PersonName,
    full_date,
    optional_lines,
    optional_text,
    parse_details,
    person_name,
)

FULL_NAME, OTHER_NAME, PERSONAL_NUMBER, DATE_OF_BIRTH = 0x5F0E, 0x5F0F, 0x5F10, 0x5F2B  # table 55
PLACE_OF_BIRTH, ADDRESS, TELEPHONE, PROFESSION = 0x5F11, 0x5F42, 0x5F12, 0x5F13
TITLE, SUMMARY, CITIZENSHIP, OTHER_DOCUMENTS, CUSTODY = 0x5F14, 0x5F15, 0x5F16, 0x5F17, 0x5F18
KNOWN = frozenset(
    {FULL_NAME, PERSONAL_NUMBER, DATE_OF_BIRTH, PLACE_OF_BIRTH, ADDRESS, TELEPHONE, PROFESSION}
    | {TITLE, SUMMARY, CITIZENSHIP, OTHER_DOCUMENTS, CUSTODY}
)


@dataclass(frozen=True, slots=True)
class PersonalDetails:
    """What the state adds to the zone; None or empty where it adds nothing.

    Attributes:
        name: As the person writes it, in any script.
        proof_of_citizenship: A picture, still encoded.
    """

    name: PersonName | None
    other_names: tuple[PersonName, ...]
    personal_number: str | None
    date_of_birth: PartialDate | None
    place_of_birth: tuple[str, ...]
    address: tuple[str, ...]
    telephone: str | None
    profession: str | None
    title: str | None
    summary: str | None
    proof_of_citizenship: bytes | None
    other_documents: tuple[str, ...]
    custody: str | None


def parse_dg11(content: bytes) -> PersonalDetails:
    """The details in DG11."""
    objects = parse_details(content, 11, KNOWN, OTHER_NAME)
    return PersonalDetails(
        name=person_name("name of holder", objects[FULL_NAME][0]) if FULL_NAME in objects else None,
        other_names=tuple(person_name("other name", one) for one in objects.get(OTHER_NAME, [])),
        personal_number=optional_text(objects, PERSONAL_NUMBER, "personal number"),
        date_of_birth=full_date("full date of birth", objects[DATE_OF_BIRTH][0]) if DATE_OF_BIRTH in objects else None,
        place_of_birth=optional_lines(objects, PLACE_OF_BIRTH, "place of birth"),
        address=optional_lines(objects, ADDRESS, "permanent address"),
        telephone=optional_text(objects, TELEPHONE, "telephone"),
        profession=optional_text(objects, PROFESSION, "profession"),
        title=optional_text(objects, TITLE, "title"),
        summary=optional_text(objects, SUMMARY, "personal summary"),
        proof_of_citizenship=objects[CITIZENSHIP][0] if CITIZENSHIP in objects else None,
        other_documents=optional_lines(objects, OTHER_DOCUMENTS, "other valid document numbers"),
        custody=optional_text(objects, CUSTODY, "custody information"),
    )
