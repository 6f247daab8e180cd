/**
 * What a clerk reads below a check and below the face's verdict.
 *
 * The counter says why in English, for logs and strangers too. Known sentences are said in the clerk's language; one
 * that is not known is shown as it came, marked as English for screen readers, and never hidden.
 */
import type { FaceView, Language, Text } from "../../../../webrtc/web/wire";

/** A sentence of the counter, and the same in Chinese; `$1` is what the parentheses caught. */
type Sentence = readonly [RegExp, string];

const sentences: readonly Sentence[] = [
  // what was read
  [/^there is no readable security object$/, "没有可读的安全对象"],
  [/^the chip gave no security object$/, "芯片没有给出安全对象"],
  [/^(\d+) hashes by (.+)$/, "含 $1 个数据组的摘要，算法 $2"],
  [/^data group (\d+) was not read$/, "没有读到数据组 $1"],
  [/^no hash of data group (\d+) was signed$/, "签名中没有数据组 $1 的摘要"],
  [/^data group (\d+) was changed after signing$/, "数据组 $1 在签名后被改动"],
  [/^data group (\d+) is the one that was signed$/, "数据组 $1 与签名时一致"],
  [/^(?:not|EF\.COM is not|(?:its|a) \w+ (?:is|are) not) readable: .*$/, "内容无法读取"],
  [/^cannot be named: .*$/, "密钥或算法的参数无法识别"],
  [/^the evidence holds data groups that do not exist$/, "含有不存在的数据组"],
  [/^there is no readable zone$/, "没有可读的机读区"],
  [/^([\w/+.-]+), (\d+) x (\d+) pixels$/, "$1，$2 × $3 像素"],
  // who signed it
  [/^signed by the certificate it carries$/, "由其携带的证书签名"],
  [/^the security object was changed after signing$/, "安全对象在签名后被改动"],
  [/^cannot be verified: .*$/, "签名算法无法核验"],
  [/^issued by a country signing authority we trust$/, "由受信任的国家签发机构（CSCA）签发"],
  [/^issued by the successor, over (\d+) links, of an authority we trust$/, "由受信任机构的后续证书签发，经 $1 次交接"],
  [/^issued by an authority that is not among those we trust$/, "签发机构不在受信任名单中"],
  [/^issued by an authority whose predecessors are not among those we trust$/, "签发机构的前任不在受信任名单中"],
  [/^claims an authority we trust, whose key did not sign it$/, "冒称受信任的机构：并非用其密钥签名"],
  [/^its signature cannot be verified$/, "证书的签名无法核验"],
  [/^valid at the signing time it states$/, "在其声明的签名时间有效"],
  [/^valid today$/, "今天有效"],
  [/^valid \w+$/, "有效"],
  [/^expired (\d+) days ago$/, "已过期 $1 天"],
  [/^expired since, and no signing time is stated$/, "现已过期，且没有声明签名时间"],
  [/^no longer valid .*$/, "签名时证书已过期"],
  [/^not valid yet .*$/, "签名时证书尚未生效"],
  [/^not on the revocation list of (\S+)$/, "不在 $1 的撤销名单上"],
  [/^.* was revoked on (\S+)$/, "已于 $1 被撤销"],
  [/^the newest revocation list is of (\S+) and overdue$/, "最新的撤销名单是 $1 的，已逾期"],
  [
    /^the revocation list of its issuer is signed by none of the authorities we trust$/,
    "撤销名单不是由受信任的机构签名",
  ],
  [/^there is no revocation list of its issuer here$/, "本系统没有该签发机构的撤销名单"],
  [/^no authority is known that issued (?:it|its signer)$/, "不知道由哪个机构签发"],
  [/^issued while its authority was valid$/, "签发时该机构的证书有效"],
  [/^issued before its authority began$/, "签发早于该机构证书生效"],
  [/^issued after its authority had expired$/, "签发时该机构的证书已过期"],
  [/^no key or hash is refused by the policy$/, "密钥和摘要算法均符合要求"],
  [/^signed by the state that the zone names$/, "由机读区所写的国家签名"],
  [/^signed by another country than the zone names$/, "签名国与机读区所写的国家不同"],
  [/^a certificate names no country$/, "证书没有写明国家"],
  [/^the zone names a state that Doc 9303-3 does not know$/, "机读区所写的国家代码不存在"],
  // whether it fits together
  [/^EF\.COM lists the data groups that were signed$/, "目录所列与签名的数据组一致"],
  [/^EF\.COM and the security object differ in (\d+) data groups$/, "目录与安全对象有 $1 个数据组不一致"],
  [/^all check digits of the (\S+) zone fit$/, "$1 机读区的校验位全部正确"],
  [/^wrong check digit over .*$/, "有校验位不正确"],
  [/^what the chip was opened with stayed at the desk$/, "打开芯片的信息只留在终端，柜台不核对"],
  [/^the number typed is the number in the chip$/, "输入的号码与芯片中的号码一致"],
  [/^opened with the number of another document$/, "用另一张证件的号码打开"],
  [/^the ways to PACE are those that were signed$/, "PACE 参数与签名时一致"],
  [/^the ways to PACE were changed on their way$/, "PACE 参数在途中被改动"],
  [/^no signed data group 14 to compare with$/, "没有经签名的数据组 14 可供比对"],
  [/^data group 14 does not repeat the ways to PACE$/, "数据组 14 没有记载 PACE 参数"],
  // whether the chip is a copy
  [/^the chip proved that it has the state's private key$/, "芯片证明了它持有签发国写入的私钥"],
  [/^the chip proved to this terminal that it has the state's private key$/, "芯片向本终端证明了它持有私钥"],
  [/^the chip proved itself to the terminal that read it; .*$/, "芯片只向读取它的终端作了证明，柜台无法再核对"],
  [/^this document has no protection against copies$/, "这种证件没有防复制功能"],
  [/^the document can prove that it is no copy, was asked to, and did not$/, "证件有防复制功能，但没有作出证明"],
  [/^copying is only excluded by chip or active authentication, which was not made$/, "没有做芯片认证，不能排除复制"],
  [/^the keys in data group (\d+) are not those that were signed, .*$/, "数据组 $1 中的公钥与签名不符，其证明无效"],
  [/^a signature came without the key it was made with$/, "有签名，但没有对应的公钥"],
  [/^the chip signed another challenge: an older reading\?$/, "应答的不是本次提问，可能是旧的读取结果"],
  [/^run with a key that data group 14 does not hold$/, "所用公钥不在数据组 14 中"],
  [/^run for another challenge: an older reading\?$/, "应答的不是本次提问，可能是旧的读取结果"],
  [/^the chip's signature is not by the key in data group 15$/, "芯片的签名与数据组 15 的公钥不符"],
  [/^the chip lacks the private key to data group 14: a copy$/, "芯片没有数据组 14 对应的私钥：是复制品"],
  [/^the chip that ran PACE lacks the state's private key: a copy$/, "芯片没有签发国写入的私钥：是复制品"],
  // the face
  [/^after being asked: (.*)$/, "提示后完成：$1"],
  [/^\w+( at \w+)?; seen: (.*)$/, "没有做完；看到的动作：$2"],
  [/^the movements were not completed$/, "动作没有做完"],
  [/^no turn to judge it by$/, "没有转头动作可供判断"],
  [/^what turned was flat: ([\d.]+), a head has ([\d.]+)$/, "转动的是平面，像照片（$1，真人至少 $2）"],
  [/^it turned as a body does: ([\d.]+), at least ([\d.]+)$/, "转动符合真人面部的立体结构（$1，至少 $2）"],
  [
    /^the face changed: (\d+) looks, widest change (\d+%) of what is allowed$/,
    "中途换了人（看 $1 次，最大差异为允许值的 $2）",
  ],
  [
    /^the same face throughout: (\d+) looks, widest change (\d+%) of what is allowed$/,
    "始终是同一张脸（看 $1 次，最大差异为允许值的 $2）",
  ],
  [
    /^(\d+) looks, (\d+) of them evenly enough to tell a cut; sharpest change (\d+%) of a cut's$/,
    "画面连续（看 $1 次，其中 $2 次间隔均匀、可辨剪接；最大突变为剪接的 $3）",
  ],
  [
    /^too few pictures to tell: (\d+) looks, (\d+) of them evenly enough to tell a cut; sharpest change (\d+%) of a cut's$/,
    "画面太少，无法判断是否剪接（看 $1 次，其中 $2 次可辨；最大突变为剪接的 $3）",
  ],
  [
    /^picture_frozen: (\d+) looks, (\d+) of them evenly enough to tell a cut; sharpest change (\d+%) of a cut's$/,
    "画面静止不动（看 $1 次，其中 $2 次可辨剪接；最大突变为剪接的 $3）",
  ],
  [
    /^picture_looped: (\d+) looks, (\d+) of them evenly enough to tell a cut; sharpest change (\d+%) of a cut's$/,
    "画面在重复播放（看 $1 次，其中 $2 次可辨剪接；最大突变为剪接的 $3）",
  ],
  [
    /^picture_cut: (\d+) looks, (\d+) of them evenly enough to tell a cut; sharpest change (\d+%) of a cut's$/,
    "画面被剪接（看 $1 次，其中 $2 次可辨剪接；最大突变为剪接的 $3）",
  ],
  [
    /^the face was lit in the screen's order: (\d+) of (\d+) other orders fit as well; the best one explains (\d+%) of the changes$/,
    "脸上的光与屏幕颜色的次序相符（另外 $2 种次序中有 $1 种同样相符；最相符的次序可解释变化的 $3）",
  ],
  [
    /^the face was lit in another order than the screen's: (\d+) of (\d+) other orders fit as well; the best one explains (\d+%) of the changes$/,
    "脸上的光是另一种次序，与屏幕颜色不符（另外 $2 种次序中有 $1 种同样相符；最相符的次序可解释变化的 $3）",
  ],
  [
    /^the room's light leaves too little of the screen's: (\d+) of (\d+) other orders fit as well; the best one explains (\d+%) of the changes$/,
    "环境光太强，看不出屏幕的颜色（另外 $2 种次序中有 $1 种同样相符；最相符的次序可解释变化的 $3）",
  ],
  [/^too few looks to tell$/, "画面太少，无法判断"],
  [/^the person asked for none$/, "客户要求不变换颜色"],
  [/^this screen shows none, or was asked not to$/, "这块屏幕不变换颜色，或用户设置为不变换"],
  [/^switched off at this counter$/, "本柜台未启用"],
  [/^drawn for this visit and the certificate at the other end of its line$/, "动作是为本次办理和这条线路抽取的"],
  [/^the pictures came by another line than the movements were drawn for$/, "画面来自另一条线路"],
  [
    /^a phone's browser vouches for no camera: a picture made by software would look the same$/,
    "手机浏览器不能证明画面来自摄像头：软件生成的画面无法区分",
  ],
  [
    /^too many face checks with this document failed: none was begun, and nothing says that a living person is here$/,
    "该证件的人脸核验失败次数过多：未再核验，也未确认镜头前是真人",
  ],
  [/^no chip portrait to compare with$/, "没有芯片照片可比对"],
  [/^(\d+) straight looks, (\d+) are needed$/, "正面画面只有 $1 次，需要 $2 次"],
  [
    /^told only, nothing was measured to decide by: ([\d.]+) of 1 in the middle of (\d+) looks, (.*)$/,
    "仅供参考（尚无实测依据，不作判断）：$2 次画面的中位值为 $1（满分 1），$3",
  ],
  [
    /^told only, not below ([\d.]+) where people begin: ([\d.]+) of 1 in the middle of (\d+) looks, (.*)$/,
    "仅供参考（实测未证明可据此拒绝）：$3 次画面的中位值为 $2（满分 1），不低于真人的下限 $1，$4",
  ],
  [
    /^told only, below ([\d.]+) where people begin: ([\d.]+) of 1 in the middle of (\d+) looks, (.*)$/,
    "仅供参考（实测未证明可据此拒绝）：$3 次画面的中位值为 $2（满分 1），低于真人的下限 $1，$4",
  ],
  [
    /^like a print or a screen: ([\d.]+) of 1 in the middle of (\d+) looks, (.*), at least ([\d.]+)$/,
    "像打印件或屏幕：$2 次画面的中位值为 $1（满分 1），应不低于 $4，$3",
  ],
  [
    /^like skin: ([\d.]+) of 1 in the middle of (\d+) looks, (.*), at least ([\d.]+)$/,
    "像真人皮肤：$2 次画面的中位值为 $1（满分 1），不低于 $4，$3",
  ],
  [/^too few clear frames$/, "清晰画面太少"],
  [/^as different as strangers are$/, "与照片的差异相当于不同的人"],
  [
    /^modelled, strangers come as close at most ([\d.]+%) of the time, in the group told apart worst ([\d.]+%); counted alone, (\d+) comparisons can bound ([\d.]+%) and (\d+) of that group ([\d.]+%)$/,
    "按模型推算，陌生人达到这一相似度的比例不超过 $1，最难区分的人群中不超过 $2；若只凭实际计数，$3 次比对只能说明不超过 $4，其中该人群 $5 次只能说明不超过 $6",
  ],
  [
    /^this service asks for an error rate of ([\d.e-]+), which the engine.s calibration does not support$/,
    "此业务要求误识率不高于 $1，人脸引擎的校准数据不足以保证",
  ],
  // the person during the call
  [/^the face that passed was before the camera from .*$/, "从通话开始到签名，镜头前一直是通过核验的人"],
  [
    /^no face check was passed; one face from the beginning of the call to the signature$/,
    "没有做过人脸核验；从通话开始到签名一直是同一张脸",
  ],
  [/^lost once during the call and identified again; .*$/, "通话中曾中断，重新核验后到签名一直是同一人"],
  [/^another face than the one that passed was before the camera during the call$/, "通话中镜头前换成了另一张脸"],
  [/^a second face stayed before the camera during the call$/, "通话中镜头前一直有第二张脸"],
  [/^the picture stood still during the call$/, "通话中画面静止不动"],
  [/^no face was before the camera for too long during the call$/, "通话中镜头前长时间没有人脸"],
  [/^no pictures came for too long during the call$/, "通话中长时间没有画面"],
  [/^the face was not shown clearly for too long during the call$/, "通话中长时间看不清人脸"],
  [/^the pictures came by another line than at the beginning of the call$/, "通话中画面改由另一条线路传来"],
  [/^the process that watched ended during the call$/, "通话中比对进程中断"],
  // the customer's own phone
  [
    /^possession factor: passkey \(user verified by the device\), made after visit (\S+); no fingerprint match$/,
    "持有要素：通行密钥（由手机自行验证用户），登记于业务 $1 之后；并非指纹比对",
  ],
  [/^a passkey was shown that is not known here or did not hold$/, "出示了通行密钥，但未登记或核验不成立"],
  // the finger
  [
    /^(\d+) minutiae lie on one another; strangers come as close in ([\d.e-]+) at most$/,
    "$1 个特征点重合；陌生人达到这一程度的比例不超过 $2",
  ],
  [
    /^(\d+) minutiae lie on one another, of too few for a machine to accept$/,
    "$1 个特征点重合，但特征点太少，不能由机器判定通过",
  ],
  [
    /^no finger of the holder is registered here, and none could be read from the card$/,
    "没有登记过指纹，证件中也读不到",
  ],
  [/^no impression could be compared$/, "没有一次按压清晰到可以比对"],
  [/^no finger could be given$/, "客户无法按指纹"],
  [/^no finger could be given, after (\d+) that did not fit$/, "按过 $1 次均不一致，之后客户表示无法按指纹"],
  [/^the scanner of this desk does not answer$/, "这台终端的指纹仪没有应答"],
  [
    /^the scanner of this desk does not answer, after (\d+) that did not fit$/,
    "按过 $1 次均不一致，之后指纹仪没有应答",
  ],
  [/^(\d+) impressions of one finger, each compared with those before$/, "同一手指按压 $1 次，逐次比对"],
  [/^this scanner does not look for imitations$/, "这台指纹仪不判断真伪，不能说明手指是活体"],
  [/^the sensor says skin \((.*)\), by the desk's word$/, "传感器判断为真实皮肤（$1，由终端转述）"],
  [
    /^the sensor took something for an imitation \((.*)\), by the desk's word$/,
    "传感器曾判断为伪造物（$1，由终端转述）",
  ],
  [/^signed for this capture by (.*)$/, "由指纹仪 $1 为本次采集签名"],
  [/^no scanner here signs its pictures: the desk's own word$/, "这里的指纹仪不签名，只有终端自己的说法"],
  [/^not believed: .*$/, "指纹图像的签名不成立，未予采用"],
  [/^not alike enough to accept: .*$/, "相似度不足以自动通过"],
];

/** The reason of a check, and the language it could be said in. */
export function checkReason(why: string, language: Language): readonly [string, Language] {
  if (language === "en") {
    return [why, "en"];
  }
  for (const [pattern, zh] of sentences) {
    if (pattern.test(why)) {
      return [why.replace(pattern, zh), "zh"];
    }
  }
  return [why, "en"];
}

/** Why a face was not simply accepted; the names are those of `biometrics.face.outcome.FaceReason`. */
const faceReasons: Readonly<Record<string, Text>> = {
  not_finished: { zh: "核验没有做完", en: "The check was not finished" },
  timed_out: { zh: "超过时限", en: "It took too long" },
  movement_missing: { zh: "没有做要求的动作", en: "The movement asked for was not seen" },
  wrong_movement: { zh: "做了别的动作", en: "Another movement was made" },
  moved_too_early: { zh: "提示出现之前就动了", en: "Moved before the instruction could be read" },
  two_faces: { zh: "画面中不止一人", en: "More than one face in the picture" },
  track_broken: { zh: "画面中的脸中断或跳动", en: "The face jumped or was gone for a moment" },
  picture_frozen: { zh: "画面静止不动", en: "The picture stood still" },
  picture_looped: { zh: "画面在重复播放", en: "The picture repeated itself" },
  picture_cut: { zh: "画面被剪接", en: "The picture was cut to another one" },
  wrong_colours: { zh: "脸上的光与屏幕颜色不符", en: "The face was lit by other colours than the screen's" },
  flat: { zh: "转动的是平面，像照片", en: "What turned was flat, like a print" },
  no_skin: { zh: "画面像打印件或屏幕，不像真人皮肤", en: "It looked like a print or a screen, not like skin" },
  identity_changed: { zh: "动作过程中换了人", en: "The face changed during the movement" },
  face_different: { zh: "与芯片照片不是同一人", en: "Not the face of the chip's portrait" },
  face_uncertain: {
    zh: "与芯片照片相似，但不足以自动通过",
    en: "Like the chip's portrait, but not enough to pass alone",
  },
  no_reference: { zh: "没有芯片照片可比对", en: "No chip portrait to compare with" },
  portrait_small: { zh: "芯片照片分辨率低", en: "The chip's portrait is small" },
};

/** One of the face check's reasons in words. */
export function faceReason(reason: FaceView["reasons"][number], language: Language): string {
  return faceReasons[reason]?.[language] ?? reason.replaceAll("_", " ");
}
