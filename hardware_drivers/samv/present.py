"""A reading in words, for people who have never seen the protocol, in English or Chinese."""

import unicodedata
from enum import StrEnum

from hardware_drivers.errors import (
    CardRemovedError,
    DeviceError,
    DeviceGoneError,
    DeviceTimeoutError,
    NoCardError,
    NoReaderError,
    ReaderBusyError,
    TamperedAnswerError,
)
from hardware_drivers.id_chip.checks import Outcome
from hardware_drivers.samv.errors import CardRefusedError, PluginError, ReaderRefusedError
from hardware_drivers.samv.national_codes import ETHNIC_GROUPS, SEXES
from hardware_drivers.samv.status import SENTENCES, Sentence
from hardware_drivers.samv.text import CardKind
from hardware_drivers.samv.verify import Check, CheckName, Code, Holder, SamvReport


class Language(StrEnum):
    """What we can say it in."""

    ENGLISH = "en"
    CHINESE = "zh"


KINDS = {
    CardKind.CITIZEN: Sentence("居民身份证", "ID card of a Chinese citizen"),
    CardKind.HK_MACAU_TAIWAN: Sentence("港澳台居民居住证", "residence permit, Hong Kong, Macau or Taiwan"),
    CardKind.FOREIGNER_2017: Sentence("外国人永久居留身份证(2017版)", "foreigner's permanent residence card of 2017"),
    CardKind.FOREIGNER_2023: Sentence("外国人永久居留身份证(2023版)", "foreigner's permanent residence card of 2023"),
}
CHECKS = {
    CheckName.TEXT_LAYOUT: Sentence("文字信息格式正确", "The text has a known layout"),
    CheckName.CODES_KNOWN: Sentence("性别和民族代码有效", "Codes of sex and ethnic group exist"),
    CheckName.NUMBER_CHECK_DIGIT: Sentence("号码校验位正确", "The number's check digit fits"),
    CheckName.NUMBER_MATCHES_TEXT: Sentence("号码与文字信息一致", "The number fits the text"),
    CheckName.DATES_CONSISTENT: Sentence("日期前后一致", "Birth, issue and expiry fit together"),
    CheckName.DOCUMENT_NOT_EXPIRED: Sentence("证件在有效期内", "The card is valid today"),
    CheckName.PHOTO_PRESENT: Sentence("存有相片", "A photograph is stored"),
    CheckName.PORTRAIT_DECODABLE: Sentence("相片可以解码", "The photograph can be shown"),
    CheckName.FINGERPRINTS_PRESENT: Sentence("存有指纹", "Fingerprints are stored"),
    CheckName.READER_ENROLLED: Sentence("读卡器已登记", "This reader is enrolled"),
    CheckName.AUTHENTICITY: Sentence("证件真伪", "The card is genuine"),
}
OUTCOMES = {
    Outcome.PASSED: Sentence("通过", "passed"),
    Outcome.FAILED: Sentence("不通过", "FAILED"),
    Outcome.NOT_POSSIBLE: Sentence("无法判断", "not possible"),
}
WHY_IN_CHINESE = {
    Code.OK: "",
    Code.MALFORMED: "格式不正确",
    Code.UNKNOWN_CODE: "代码表中没有此代码",
    Code.WRONG_CHECK_DIGIT: "校验位错误",
    Code.NO_PUBLISHED_RULE: "2017版15位号码的末位没有公开的规则",
    Code.DIFFERS: "内容互相矛盾",
    Code.EXPIRED: "已过有效期",
    Code.NOT_YET_VALID: "尚未生效",
    Code.MISSING: "证件没有给出",
    Code.NOT_ASKED: "没有要求读取",
    Code.NOT_STORED: "证件中没有存储",
    Code.NEEDS_TEXT: "文字信息无法读取",
    Code.NEEDS_MAKERS_LIBRARY: "需要厂商的图像库",
    Code.LIBRARY_FAILED: "厂商的图像库没有给出图像",
    Code.NOT_ENROLLED: "没有登记此读卡器",
    Code.RESTS_ON_READER: "取决于读卡器的安全模块: 认证密钥不出模块，读出的内容没有可供核验的签名",
}
LABELS = {
    "kind": Sentence("证件", "Document"),
    "chinese_name": Sentence("姓名", "Name"),
    "english_name": Sentence("英文姓名", "Name in Latin letters"),
    "sex": Sentence("性别", "Sex"),
    "ethnic_group": Sentence("民族", "Ethnic group"),
    "nationality": Sentence("国籍", "Nationality"),
    "date_of_birth": Sentence("出生", "Born"),
    "address": Sentence("住址", "Address"),
    "added_addresses": Sentence("追加住址", "Added addresses"),
    "number": Sentence("号码", "Number"),
    "authority": Sentence("签发机关", "Issued by"),
    "pass_number": Sentence("通行证号码", "Travel pass"),
    "valid_from": Sentence("有效期自", "Valid from"),
    "valid_until": Sentence("有效期至", "Valid until"),
}
LONG_TERM = Sentence("长期", "no end")
TROUBLES: dict[type[DeviceError], Sentence] = {
    NoReaderError: Sentence("没有可用的读卡器", "No card reader can be used"),
    ReaderBusyError: Sentence("读卡器被其他程序占用，请关闭该程序", "Another program uses the reader; close it"),
    DeviceGoneError: Sentence("读卡器连接中断，请检查数据线", "The reader was unplugged; check the cable"),
    DeviceTimeoutError: Sentence("读卡器没有回应，请重新插拔", "The reader does not answer; unplug it and plug it in"),
    NoCardError: Sentence("没有等到证件", "No card was put down in time"),
    CardRemovedError: Sentence("证件过早拿开，请重新放置", "The card was lifted too early; put it down again"),
    TamperedAnswerError: Sentence(
        "读卡器的应答有误码，请检查数据线", "The reader's answers are damaged; check the cable"
    ),
    PluginError: Sentence("厂商图像库出错", "The maker's library failed"),
}


def say(sentence: Sentence, language: Language) -> str:
    """That sentence in that language."""
    return sentence.zh if language is Language.CHINESE else sentence.en


def trouble(error: DeviceError, language: Language) -> str:
    """What went wrong and what to do about it."""
    if isinstance(error, ReaderRefusedError | CardRefusedError):
        return f"{say(SENTENCES[error.status], language)} ({error.status:02X})"
    known = next((sentence for kind, sentence in TROUBLES.items() if isinstance(error, kind)), None)
    return f"{say(known, language)} ({error})" if known else str(error)


def person_rows(holder: Holder, language: Language) -> list[tuple[str, str]]:
    """Label and value of everything the card says, empty fields left out."""
    until = say(LONG_TERM, language) if holder.long_term else str(holder.valid_until or "?")
    values = {
        "kind": say(KINDS[holder.kind], language),
        "chinese_name": holder.chinese_name,
        "english_name": holder.english_name,
        "sex": _coded(SEXES, holder.sex, language),
        "ethnic_group": _coded(ETHNIC_GROUPS, holder.ethnic_group, language),
        "nationality": holder.nationality,
        "date_of_birth": str(holder.date_of_birth or "?"),
        "address": holder.address,
        "added_addresses": "; ".join(holder.added_addresses),
        "number": holder.number,
        "authority": holder.authority,
        "pass_number": holder.pass_number,
        "valid_from": str(holder.valid_from or "?"),
        "valid_until": until,
    }
    return [(say(LABELS[key], language), value) for key, value in values.items() if value]


def report_lines(report: SamvReport, language: Language) -> list[str]:
    """The person and the table of checks, a line each."""
    rows = person_rows(report.holder, language) if report.holder else []
    made = [
        (say(OUTCOMES[check.outcome], language), _title(check, language), _why(check, language))
        for check in report.checks
    ]
    label_width = max((_width(label) for label, _ in rows), default=0)
    outcome_width = max(_width(outcome) for outcome, _, _ in made)
    title_width = max(_width(title) for _, title, _ in made)
    return [
        *(f"  {_pad(label, label_width)}  {value}" for label, value in rows),
        "",
        *(
            f"  {_pad(outcome, outcome_width)}  {_pad(title, title_width)}  {why}".rstrip()
            for outcome, title, why in made
        ),
    ]


def _title(check: Check, language: Language) -> str:
    """What the check is about."""
    return say(CHECKS[check.name], language)


def _why(check: Check, language: Language) -> str:
    """The reason: in full in English, by its code in Chinese."""
    return WHY_IN_CHINESE[check.code] if language is Language.CHINESE else check.why


def _coded(table: dict[str, tuple[str, str]], code: str, language: Language) -> str:
    """The name of a code, or the code itself when its table has none."""
    if code not in table:
        return code
    chinese, english = table[code]
    return chinese if language is Language.CHINESE else english


def _width(text: str) -> int:
    """Columns on a terminal; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _pad(text: str, width: int) -> str:
    """That text, that many columns wide."""
    return text + " " * (width - _width(text))
