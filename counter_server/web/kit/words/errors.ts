/** What went wrong, and why a visit ended without being done; a code without words does not compile. */
import type { ErrorCode, Reason, Text } from "../../../../webrtc/web/wire";

/** What happened, and what to do now. */
export const errorWords: Record<ErrorCode, Text> = {
  bad_request: {
    zh: "请求有误，请再试一次。",
    en: "The counter did not understand this request. Please try again.",
  },
  body_too_large: {
    zh: "内容过长，没有发送。请缩短后再试。",
    en: "This was too large and was not sent. Make it shorter and try again.",
  },
  not_logged_in: {
    zh: "登录已失效，请重新开始。",
    en: "You are no longer signed in. Please start again.",
  },
  wrong_login: {
    zh: "用户名或密码错误，请检查后重新输入。",
    en: "User name or password is wrong. Check both and try again.",
  },
  too_many_tries: {
    zh: "尝试次数过多。请等一分钟再试。",
    en: "Too many tries. Wait one minute, then try again.",
  },
  not_allowed: {
    zh: "您没有此项操作的权限。",
    en: "You are not allowed to do this step.",
  },
  not_found: {
    zh: "本次办理已不存在，请重新开始。",
    en: "This visit no longer exists. Please start again.",
  },
  wrong_step: {
    zh: "办理已进入其他步骤，页面会显示最新状态。",
    en: "The visit has moved on. This page shows where it stands now.",
  },
  conflict: {
    zh: "这一步已提交过不同的内容，请查看页面上的最新状态。",
    en: "This was already done with other content. Check what the page shows now.",
  },
  service_needs_kiosk: {
    zh: "这项业务需读取证件芯片，请到自助终端办理。",
    en: "This service needs the chip of your card. Please use a kiosk.",
  },
  link_unknown: {
    zh: "链接无效，请重新扫描二维码。",
    en: "This link is unknown. Please scan a new code.",
  },
  link_used: {
    zh: "链接已被使用，请重新获取二维码。",
    en: "This link has been used once already. Please scan a new code.",
  },
  link_expired: {
    zh: "链接已过期，请重新获取二维码。",
    en: "This link has expired. Please scan a new code.",
  },
  no_reader: {
    zh: "这台终端的读卡器没有连接。请换一台终端，或联系工作人员。",
    en: "The card reader of this kiosk is not connected. Use another kiosk or talk to a person.",
  },
  no_card: {
    zh: "没有检测到证件。请把证件平放在读卡器上，再试一次。",
    en: "No card was put on the reader in time. Lay it flat on the reader and try again.",
  },
  card_removed: {
    zh: "证件移开过早。请重新放好，不要移动，再试一次。",
    en: "The card was taken away too early. Put it back, leave it there and try again.",
  },
  card_mute: {
    zh: "证件没有应答。请确认是带芯片的身份证件，调整位置再试。",
    en: "The card does not answer. Make sure it is an ID card with a chip, move it a little and try again.",
  },
  reader_busy: {
    zh: "读卡器正忙。请等几秒再试。",
    en: "The reader is busy. Wait a few seconds and try again.",
  },
  wrong_mrz: {
    zh: "证件号码或日期与芯片不符，请对照证件检查后再试。",
    en: "The number or a date does not fit this card. Compare them with the card and try again.",
  },
  no_scanner: {
    zh: "这台终端的指纹仪没有应答。请联系工作人员，或换一台终端。",
    en: "The fingerprint scanner of this kiosk does not answer. Talk to a person, or use another kiosk.",
  },
  scanner_busy: {
    zh: "指纹仪正忙。请等几秒再试。",
    en: "The fingerprint scanner is busy. Wait a few seconds and try again.",
  },
  no_finger: {
    zh: "没有检测到手指。请把手指平放在玻璃上，再试一次。",
    en: "No finger was put on the glass in time. Lay it flat on the glass and try again.",
  },
  finger_lifted: {
    zh: "手指抬起过早。请放平不动，直到屏幕提示完成。",
    en: "The finger was lifted too early. Leave it on the glass until the screen says so.",
  },
  finger_poor: {
    zh: "指纹不清晰。请擦干手指和玻璃，放平后再试一次。",
    en: "The picture is not clear. Wipe the finger and the glass dry, lay the finger flat and try again.",
  },
  counter_unreachable: {
    zh: "暂时连不上柜台。您输入的内容还在，请稍后再试。",
    en: "The counter cannot be reached right now. What you entered is kept: try again in a moment.",
  },
  form_invalid: {
    zh: "有一项填写有误，请修改标出的内容。",
    en: "One answer is not right. Please change the marked one.",
  },
  checklist_open: {
    zh: "核对清单尚未完成。",
    en: "The checklist is not complete yet.",
  },
  unprintable: {
    zh: "有的字无法正确印在文件上，请换一种写法。",
    en: "A character here cannot be printed in the document. Please write it another way.",
  },
  pages_unseen: {
    zh: "还有没看过的页。请看完每一页再签名。",
    en: "There are pages you have not seen. Please look at every page before you sign.",
  },
  signature_empty: {
    zh: "签名太短或为空，请在框内重新签名。",
    en: "The signature is empty or too short. Please sign inside the box again.",
  },
  document_changed: {
    zh: "文件已更换，请阅读新的文件。",
    en: "The document has been replaced. Please read the new one.",
  },
  ticket_taken: {
    zh: "该号码已由其他柜员接待。",
    en: "Another clerk has already taken this ticket.",
  },
  same_person: {
    zh: "签署人不能复核自己签署的文件，请由另一位同事复核。",
    en: "Whoever signed cannot approve. Another person has to.",
  },
  face_unavailable: {
    zh: "人脸核验暂时不可用。请联系工作人员。",
    en: "The face check is not available right now. Please ask a member of staff.",
  },
  identity_not_held: {
    zh: "暂时不能签名：请面向镜头，让柜台确认是您本人。",
    en: "Nothing can be signed yet: look at the camera, so that the counter can see it is you.",
  },
  passkey_needed: {
    zh: "请用通行密钥完成此操作；还没有的话，请先登记一个。",
    en: "This needs your passkey. If you have none yet, register one first.",
  },
  passkey_refused: {
    zh: "通行密钥没有应答或未被接受。请再试一次。",
    en: "The passkey did not answer or was not accepted. Please try again.",
  },
  media_unavailable: {
    zh: "视频暂时不可用。请稍后再试。",
    en: "Video is not available right now. Try again in a moment.",
  },
  record_broken: {
    zh: "这份档案与封存时不一致，不予播放。请报告安全主管。",
    en: "This record is not what was sealed, so it is not played. Report it to whoever is in charge of the safe.",
  },
  recording_closed: {
    zh: "录像已无法在此打开：密钥已销毁，或须由两人共同打开。",
    en: "This recording cannot be opened here: its key was erased, or two people must open it together.",
  },
  internal: {
    zh: "系统故障，这一步没有保存。请再试一次。",
    en: "Something broke at the counter and this step was not saved. Please try again.",
  },
};

/** Why a visit ended without being done. */
export const reasonWords: Record<Reason, Text> = {
  card_not_genuine: {
    zh: "证件芯片没有通过真伪检查。",
    en: "The chip of this card did not pass the check for authenticity.",
  },
  card_expired: { zh: "证件已经过期。", en: "This card has expired." },
  card_unknown_issuer: {
    zh: "该证件的签发机关不在受信任名单中，无法核验。",
    en: "We do not know the authority that issued this card.",
  },
  other_card: {
    zh: "再次核验时放的不是开始时的那张证件。",
    en: "The card read the second time was not the one from the beginning.",
  },
  face_different: {
    zh: "镜头前的人脸与证件照片不一致。",
    en: "The face at the camera is not the one on the card.",
  },
  not_live: {
    zh: "未能确认镜头前是真人：没有检测到要求的动作。",
    en: "We could not confirm a living person at the camera: the movement asked for was not seen.",
  },
  document_tries: {
    zh: "该证件的人脸核验失败次数过多。请由工作人员当面协助，或明天再试。",
    en: "Too many face checks with this card have failed. Please ask our staff to help you, or come back tomorrow.",
  },
  finger_different: {
    zh: "按下的手指与登记的指纹不一致。",
    en: "The finger on the scanner is not the one that was registered.",
  },
  by_clerk: { zh: "柜员未予办理。", en: "The clerk did not do this service." },
  by_approver: { zh: "复核未通过。", en: "The second person did not approve it." },
  server_restarted: {
    zh: "系统重新启动，本次办理中途停止。",
    en: "The counter was restarted and this visit stopped half-way.",
  },
  customer_left: { zh: "与您失去联系的时间过长。", en: "We lost contact with you for too long." },
  customer_cancelled: { zh: "您已取消本次办理。", en: "You cancelled this visit." },
  media_failed: { zh: "视频连接中断，未能恢复。", en: "The video connection failed and did not come back." },
};
