"""The files of the ID application: Doc 9303-10 §4.6 (identifiers) and §4.7 (tags)."""

from dataclasses import dataclass

ID_APPLICATION = bytes.fromhex("A0000002471001")  # Doc 9303-10 §4.2


@dataclass(frozen=True, slots=True)
class ElementaryFile:
    """One file: its two identifiers, its outer tag, and the most bytes we are ready to read of it."""

    name: str
    fid: int
    sfi: int
    tag: int
    longest: int


COM_LONGEST = 4096  # it is 20 to 30 bytes; the counter takes no more
SOD_LONGEST = 65_536  # largest seen 8 KB with an RSA-4096 chain inside
DATA_GROUP_LONGEST = 400_000  # portraits of 20 KB are usual; the counter takes no more

EF_COM = ElementaryFile("EF.COM", 0x011E, 0x1E, 0x60, COM_LONGEST)
EF_SOD = ElementaryFile("EF.SOD", 0x011D, 0x1D, 0x77, SOD_LONGEST)
DATA_GROUP_TAGS = {
    1: 0x61,
    2: 0x75,
    3: 0x63,
    4: 0x76,
    5: 0x65,
    6: 0x66,
    7: 0x67,
    8: 0x68,
    9: 0x69,
    10: 0x6A,
    11: 0x6B,
    12: 0x6C,
    13: 0x6D,
    14: 0x6E,
    15: 0x6F,
    16: 0x70,
}


def data_group(number: int) -> ElementaryFile:
    """The file of data group 1 to 16."""
    return ElementaryFile(f"DG{number}", 0x0100 + number, number, DATA_GROUP_TAGS[number], DATA_GROUP_LONGEST)


# Outside the application, readable before it is selected: Doc 9303-10 §3.11.
EF_CARD_ACCESS = ElementaryFile("EF.CardAccess", 0x011C, 0x1C, 0x31, COM_LONGEST)
EF_CARD_SECURITY = ElementaryFile("EF.CardSecurity", 0x011D, 0x1D, 0x30, SOD_LONGEST)
EF_ATR_SFI = 0x01  # EF.ATR/INFO, Doc 9303-10 §3.11.1; no outer tag
EF_CVCA_SFI, EF_CVCA_LENGTH = 0x1C, 36  # inside the application, TR-03110-1 §A.2; no outer tag, padded with zeros
