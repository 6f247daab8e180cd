/** Words for the named checks. The counter may add checks: an unknown name is shown readably, never hidden. */
import type { Language, Text } from "../../../../webrtc/web/wire";

const checkWords: Readonly<Record<string, Text>> = {
  sod_present_and_parsed: { zh: "安全对象（SOD）可读", en: "Security object present" },
  sod_signature: { zh: "安全对象的签名", en: "Signature of the security object" },
  signer_certificate_chain: { zh: "签发机关受信任", en: "Issuer is trusted" },
  signer_certificate_valid_at_signing: { zh: "签名时证书有效", en: "Certificate valid at signing" },
  signer_not_revoked: { zh: "签名证书未被撤销", en: "Signer is not revoked" },
  issuer_valid_when_issuing: { zh: "签发机关当时有效", en: "Issuer was valid when issuing" },
  algorithms_accepted: { zh: "密码算法强度", en: "Algorithms are strong enough" },
  issuing_state_matches_signer: { zh: "签名国与证件一致", en: "Signed by the state it names" },
  com_matches_sod: { zh: "数据目录与签名一致", en: "Index matches what was signed" },
  mrz_check_digits: { zh: "机读区校验位", en: "Check digits of the machine-readable zone" },
  document_not_expired: { zh: "证件在有效期内", en: "Document has not expired" },
  document_number_matches_access: { zh: "证件号码与输入一致", en: "Number is the one that was typed" },
  portrait_decodable: { zh: "芯片照片可读", en: "Portrait can be read" },
  portrait_usable: { zh: "芯片照片可用于比对", en: "Portrait can be compared" },
  movement: { zh: "完成了要求的动作", en: "Did the movements asked for" },
  line: { zh: "画面来自本次线路", en: "Pictures came by this visit's line" },
  camera_vouched: { zh: "画面确实来自摄像头", en: "Pictures come from a camera" },
  texture: { zh: "皮肤质感（被动活体）", en: "Skin, not a print or a screen" },
  colours: { zh: "屏幕颜色映在脸上", en: "The screen's colours on the face" },
  document_tries: { zh: "该证件的人脸核验次数", en: "Face checks with this document" },
  depth: { zh: "是立体的人脸，不是照片", en: "A face with depth, no print" },
  face_error_rate: { zh: "人脸误识率符合此业务要求", en: "Error rate that this service asks for" },
  same_person: { zh: "通话中始终是核验过的本人", en: "The person checked is the one in the call" },
  one_person: { zh: "始终是同一个人", en: "One person throughout" },
  pictures: { zh: "画面连贯", en: "Pictures unbroken" },
  match: { zh: "人脸与芯片照片比对", en: "Compared with the chip's portrait" },
  possession: { zh: "客户持有的手机（通行密钥）", en: "The customer's own phone (passkey)" },
  finger: { zh: "指纹与登记的一致", en: "Finger is the registered one" },
  finger_device: { zh: "指纹仪签名", en: "Fingerprint scanner's signature" },
  finger_enrolled: { zh: "已登记指纹", en: "A finger was registered" },
  finger_sensor: { zh: "指纹仪的防伪判断", en: "Sensor's own word on imitations" },
  card_access_matches_dg14: { zh: "芯片公开信息与签名一致", en: "Offer matches what was signed" },
  clone_protection: { zh: "芯片不是复制品", en: "Chip is no copy" },
};

/** What the files of an ICAO chip are, by the number of their data group (Doc 9303-10). */
const groupWords: Readonly<Record<string, Text>> = {
  "1": { zh: "个人信息", en: "personal details" },
  "2": { zh: "照片", en: "portrait" },
  "3": { zh: "指纹", en: "fingers" },
  "4": { zh: "虹膜", en: "iris" },
  "7": { zh: "签名图像", en: "signature" },
  "11": { zh: "附加个人信息", en: "more personal details" },
  "12": { zh: "附加证件信息", en: "document details" },
  "13": { zh: "签发国自定内容", en: "the state's own" },
  "14": { zh: "安全选项", en: "security options" },
  "15": { zh: "芯片公钥", en: "the chip's public key" },
};

/** The check's name in words. */
export function checkName(name: string, language: Language): string {
  const known = checkWords[name];
  if (known) {
    return known[language];
  }
  const group = /^dg_hash_(\d+)$/.exec(name)?.[1];
  if (group) {
    const what = groupWords[group]?.[language];
    if (language === "zh") {
      return `${what ? `${what}（DG${group}）` : `DG${group} `}未被改动`;
    }
    return `DG${group}${what ? ` (${what})` : ""} unchanged`;
  }
  const readable = name.replaceAll(/[_.]/g, " ");
  return readable.charAt(0).toUpperCase() + readable.slice(1);
}
