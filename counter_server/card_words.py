"""What `counter card` says, in both languages: for somebody who has never seen an ID chip."""

from hardware_drivers.id_chip.checks import Check, CheckName, Outcome
from webrtc.wire.message import Language

Sentences = dict[str, tuple[str, str]]  # key to Chinese, English

STEPS: Sentences = {
    "waiting": ("请把证件放在读卡器上，不要移动……", "Put the document on the reader and leave it there …"),
    "opening": ("已看到证件。", "A document is there."),
    "access": ("正在用印在证件上的内容打开芯片……", "Opening the chip with what is printed on it …"),
    "reading_security": ("正在读取签发国的签名……", "Reading the issuing state's signature …"),
    "reading_text": ("正在读取文字……", "Reading the text …"),
    "reading_portrait": ("正在读取照片……", "Reading the portrait …"),
    "judging": ("读完，可以取走证件。正在核验……", "Done, the document may be taken away. Checking …"),
}

QUESTIONS: Sentences = {
    "number": (
        "证件号码（机读区），或证件正面的 6 位 CAN 号：",
        "Document number from the printed lines, or the 6-digit CAN on the front: ",
    ),
    "birth": ("出生日期（年-月-日，如 1990-05-17）：", "Date of birth (year-month-day, such as 1990-05-17): "),
    "expiry": ("有效期至（年-月-日）：", "Date of expiry (year-month-day): "),
}

HOLDER: Sentences = {
    "name": ("姓名", "Name"),
    "document_number": ("证件号码", "Document number"),
    "issuing_state": ("签发国", "Issuing state"),
    "nationality": ("国籍", "Nationality"),
    "date_of_birth": ("出生日期", "Date of birth"),
    "date_of_expiry": ("有效期至", "Date of expiry"),
    "sex": ("性别", "Sex"),
    "portrait": ("芯片照片", "Portrait on the chip"),
}

CHECKS: Sentences = {
    "sod_present_and_parsed": ("芯片里有签发国的签名清单", "The chip holds the state's signed list"),
    "sod_signature": ("签名清单签出后未被改动", "The signed list was not changed since"),
    "signer_certificate_chain": ("签名者由我们信任的国家授权", "A state we trust appointed the signer"),
    "signer_certificate_valid_at_signing": ("签名者当时有权签发", "The signer was entitled at that time"),
    "signer_not_revoked": ("签名者未被撤销", "The signer was not recalled"),
    "issuer_valid_when_issuing": ("国家根证书当时有效", "The state's own certificate was valid then"),
    "algorithms_accepted": ("所用加密方法足够强", "The cryptography is strong enough"),
    "issuing_state_matches_signer": ("签名国与证件所写国家一致", "The signer is of the state printed in it"),
    "com_matches_sod": ("芯片目录与签名清单一致", "The chip's table of contents agrees"),
    "mrz_check_digits": ("机读区校验码正确", "The check digits of the printed lines fit"),
    "document_not_expired": ("证件在有效期内", "The document is still valid"),
    "document_number_matches_access": ("输入的号码就是芯片里的号码", "The number typed is the one inside"),
    "portrait_decodable": ("照片可用于比对", "There is a portrait to compare with"),
    "card_access_matches_dg14": ("开放目录与签名目录一致", "What the chip offers openly is what was signed"),
    "clone_protection": ("芯片不是复制品", "The chip is no copy"),
    "chip_authentication": ("芯片证明持有自己的密钥（芯片认证）", "The chip proved its own key (chip authentication)"),
    "active_authentication": (
        "芯片证明持有自己的密钥（主动认证）",
        "The chip proved its own key (active authentication)",
    ),
    "terminal_authentication": ("本机获准读取指纹", "This desk may read fingerprints"),
}
HASHED_GROUPS: Sentences = {
    "1": ("文字数据未被改动", "The text was not changed"),
    "2": ("照片数据未被改动", "The portrait was not changed"),
    "3": ("指纹数据未被改动", "The fingerprints were not changed"),
}
HASHED_GROUP = ("第 {number} 组数据未被改动", "Data group {number} was not changed")

OUTCOMES: dict[Outcome, tuple[str, str, str]] = {
    Outcome.PASSED: ("✓", "通过", "yes"),
    Outcome.FAILED: ("✗", "未通过", "NO"),
    Outcome.NOT_POSSIBLE: ("–", "无法判断", "unknown"),
}

REASONS: dict[str, str] = {  # Chinese for what `Check.why` says in English
    "ok": "",
    "malformed": "内容不符合标准，无法读取",
    "wrong_signature": "签名不符：内容被改动过，或不是该国签的",
    "unsupported": "所用算法无法验证",
    "unknown_issuer": "签发机构不在信任清单里",
    "expired": "已过期",
    "not_yet_valid": "尚未生效",
    "hash_mismatch": "签名之后被改动过",
    "not_signed": "该数据没有签名",
    "missing": "没有读到",
    "groups_differ": "目录与签名清单不一致",
    "wrong_check_digit": "校验码不符",
    "other_document": "打开它的是另一份证件的号码",
    "needs_sod": "没有可读的签名清单",
    "needs_dg1": "没有可读的文字数据",
    "not_given": "没有提供，无法比较",
    "not_proven": "没有做芯片认证，不能排除复制",
    "revoked": "签名者已被撤销",
    "no_revocation_list": "没有撤销清单",
    "stale": "撤销清单已过时",
    "needs_issuer": "缺少签发机构的证书",
    "weak_algorithm": "加密方法太弱",
    "other_state": "国家不一致",
    "aa_signature_wrong": "芯片对随机数的签名不符：可能是复制品",
    "ca_failed": "芯片没有证明持有自己的密钥：可能是复制品",
    "cam_failed": "芯片没有证明持有自己的密钥：可能是复制品",
    "dg14_mismatch": "芯片使用的密钥与签名的不一致",
    "dg15_mismatch": "芯片使用的密钥与签名的不一致",
    "challenge_differs": "这是另一次读取的证明",
    "proof_withheld": "签名表明芯片能证明自己，却没有证明",
    "terminal_vouches": "只向读取的设备证明过，本机无法复核",
    "not_offered": "该芯片没有防复制功能",
}

VERDICTS: Sentences = {
    "genuine": (
        "结论：可以采信。证件由受信任的国家签发，内容未被改动。",
        "Result: can be relied on. A state we trust issued it, and nothing was changed.",
    ),
    "copy_possible": (
        "结论：内容真实，但无法排除芯片是复制品，请核对实物证件。",
        "Result: the content is genuine, but the chip may be a copy: look at the document itself.",
    ),
    "refused": (
        "结论：不可采信。原因见上表中标 ✗ 或无法判断的项目。",
        "Result: do not rely on it. The lines above that are not ✓ say why.",
    ),
    "sod_only": (
        "结论：签名清单真实。只判断了这些文件，没有读取芯片。",
        "Result: the signed list is genuine. Only these files were judged, no chip was read.",
    ),
}

FAILURES: Sentences = {
    "NoReaderError": (
        "没有读卡器，或读卡服务（pcscd）没有运行。",
        "There is no card reader, or its service (pcscd) is not running.",
    ),
    "DeviceGoneError": ("读卡器断开了，请检查连接后重试。", "The reader went away: check its cable and try again."),
    "NoCardError": ("等待时间内没有放上证件。", "No document was put on the reader in time."),
    "ReaderBusyError": ("另一个程序正在使用读卡器，请关闭它。", "Another program uses the reader: close it."),
    "CardRemovedError": (
        "证件拿开得太早，请重新放上，读完再取。",
        "The document was taken away too early: put it back until it is done.",
    ),
    "CardMuteError": (
        "芯片没有回应：请换一面或换个位置再试。",
        "The chip does not answer: turn the document over or move it a little.",
    ),
    "NotAnIdCardError": ("这张卡不是带芯片的身份证件。", "This card is no ID document with a chip."),
    "AccessDeniedError": (
        "芯片拒绝打开：请核对输入的号码和日期。",
        "The chip did not open: check the number and the dates typed.",
    ),
    "TamperedAnswerError": (
        "芯片的回应不符合协议，请重试；若再次出现，请勿采信。",
        "The chip's answers break the protocol: try once more, and if it stays so do not rely on it.",
    ),
    "MalformedFileError": (
        "内容不符合标准，无法读取。",
        "The content does not follow the standard and cannot be read.",
    ),
    "StatusError": ("芯片拒绝了请求。", "The chip refused a request."),
    "RecordingDiffersError": ("录制内容与本次命令不一致。", "The recording does not fit these commands."),
    "DeviceTimeoutError": ("读取时间过长，请重试。", "It took too long: try again."),
}


def say(table: Sentences, key: str, language: Language) -> str:
    """The sentence; the key itself where nobody has written one yet."""
    chinese, english = table.get(key, (key, key))
    return chinese if language is Language.ZH else english


def check_words(name: CheckName, language: Language) -> str:
    """What this check asks, as a statement."""
    prefix, _, number = name.value.rpartition("_")
    if prefix != "dg_hash":
        return say(CHECKS, name.value, language)
    if number in HASHED_GROUPS:
        return say(HASHED_GROUPS, number, language)
    chinese, english = HASHED_GROUP
    return (chinese if language is Language.ZH else english).format(number=number)


def outcome_words(check: Check, language: Language) -> str:
    """Mark and word."""
    mark, chinese, english = OUTCOMES[check.outcome]
    return f"{mark} {chinese if language is Language.ZH else english}"


def reason_words(check: Check, language: Language) -> str:
    """Why it came out so; nothing for what passed."""
    if check.outcome is Outcome.PASSED:
        return ""
    return REASONS.get(check.code.value, check.why) if language is Language.ZH else check.why
