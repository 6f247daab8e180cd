"""Every status a SAM_V module answers with, and what it means to people, in Chinese and English.

An answer carries three status bytes, 00 00 SW3. The meanings are those of the reader library interface that makers
publish (SDT_* and Syn_* return codes 10 to 9F); its codes below 10 come from the library and never cross a cable.
"""

from dataclasses import dataclass
from enum import IntEnum


class Status(IntEnum):
    """SW3."""

    CHECKSUM_WRONG = 0x10
    LENGTH_WRONG = 0x11
    COMMAND_WRONG = 0x21
    NOT_ALLOWED = 0x23
    UNKNOWN_FAULT = 0x24
    CARD_REJECTS_MODULE = 0x31
    MODULE_REJECTS_CARD = 0x32
    CONTENT_NOT_VERIFIED = 0x33
    FINGERPRINT_NOT_VERIFIED = 0x37
    CONTENT_LENGTH_WRONG = 0x3F
    UNKNOWN_CARD = 0x40
    READ_FAILED = 0x41
    NO_RANDOM_NUMBER = 0x47
    SELF_TEST_FAILED = 0x60
    NOT_AUTHORISED = 0x66
    NOT_FOUND = 0x80
    NOT_SELECTED = 0x81
    DONE = 0x90
    NOT_STORED = 0x91
    FOUND = 0x9F


@dataclass(frozen=True, slots=True)
class Sentence:
    """What happened and what to do, for someone who has never seen the protocol."""

    zh: str
    en: str


SENTENCES = {
    Status.CHECKSUM_WRONG: Sentence(
        "读卡器收到的指令有误码，请检查数据线后重试。",
        "The reader received a damaged command; check the cable and try again.",
    ),
    Status.LENGTH_WRONG: Sentence(
        "读卡器收到的指令长度不对，请检查数据线后重试。",
        "The reader received a command of the wrong length; check the cable and try again.",
    ),
    Status.COMMAND_WRONG: Sentence(
        "读卡器不支持这条指令，请联系维护人员核对读卡器型号。",
        "The reader does not know this command; have staff check which model it is.",
    ),
    Status.NOT_ALLOWED: Sentence(
        "读卡器不允许此操作，请把证件拿开再重新放上。",
        "The reader does not allow this now; lift the card and put it down again.",
    ),
    Status.UNKNOWN_FAULT: Sentence(
        "读卡器报告未知故障，请重新插拔读卡器后重试。",
        "The reader reports a fault it cannot name; unplug it, plug it in and try again.",
    ),
    Status.CARD_REJECTS_MODULE: Sentence(
        "证件不认可此读卡器，请换一台读卡器。",
        "The card does not accept this reader; use another reader.",
    ),
    Status.MODULE_REJECTS_CARD: Sentence(
        "读卡器判定证件未通过认证，请核对证件真伪。",
        "The reader does not accept this card as genuine; examine the document.",
    ),
    Status.CONTENT_NOT_VERIFIED: Sentence(
        "证件内的信息未通过校验，请核对证件真伪。",
        "What is stored in the card did not pass the reader's verification; examine the document.",
    ),
    Status.FINGERPRINT_NOT_VERIFIED: Sentence(
        "证件内的指纹信息未通过校验，请核对证件真伪。",
        "The fingerprints stored in the card did not pass the reader's verification; examine the document.",
    ),
    Status.CONTENT_LENGTH_WRONG: Sentence(
        "证件内的信息长度不对，请重新放置证件，仍不行则核对证件真伪。",
        "What is stored in the card has the wrong length; put it down again, and if that does not help examine it.",
    ),
    Status.UNKNOWN_CARD: Sentence(
        "无法识别的证件类型，请放上居民身份证、居住证或外国人永久居留身份证。",
        "This kind of card is unknown to the reader; use a Chinese ID card or residence permit.",
    ),
    Status.READ_FAILED: Sentence(
        "读取证件失败，请把证件平放在读卡区，不要移动。",
        "Reading the card failed; lay it flat on the reader and do not move it.",
    ),
    Status.NO_RANDOM_NUMBER: Sentence(
        "读卡器未能从证件取得随机数，请重新放置证件。",
        "The reader got no random number from the card; put the card down again.",
    ),
    Status.SELF_TEST_FAILED: Sentence(
        "读卡器安全模块自检失败，请联系维护人员更换读卡器。",
        "The reader's security module failed its self-test; have staff replace the reader.",
    ),
    Status.NOT_AUTHORISED: Sentence(
        "读卡器安全模块未经授权，不能使用，请联系供应商。",
        "The reader's security module is not authorised for use; have staff contact its supplier.",
    ),
    Status.NOT_FOUND: Sentence(
        "没有找到证件，请把证件平放在读卡区。",
        "No card was found; lay it flat on the reader.",
    ),
    Status.NOT_SELECTED: Sentence(
        "未能选取证件，请只放一张证件并保持不动。",
        "The card could not be selected; put down one card only and hold it still.",
    ),
    Status.DONE: Sentence("操作成功，无需处理。", "It worked; nothing to do."),
    Status.NOT_STORED: Sentence(
        "证件中没有存储此项内容，可继续办理。",
        "The card does not store this item; go on without it.",
    ),
    Status.FOUND: Sentence("已找到证件，请保持不动。", "A card was found; hold it still."),
}
