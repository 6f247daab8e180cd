/**
 * Words for every code the counter can say. `Record<…>` makes the type check fail when a code has no words.
 */
import type {
  Assurance,
  CardStep,
  Channel,
  CheckOutcome,
  ContinuityCue,
  DeviceTrouble,
  ErrorCode,
  FingerAdvice,
  FingerStep,
  GuidanceCode,
  Line,
  Movement,
  ReaderState,
  Reason,
  ScannerState,
  Text,
  VisitState,
} from "../../../../webrtc/web/wire";

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
    en: "Asked for again, another card was laid on than at the beginning.",
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

/** What spoke against its still being the same person, for the clerk. */
export const cueWords: Record<ContinuityCue, Text> = {
  other_face: { zh: "镜头前换成了另一张脸", en: "Another face is before the camera" },
  second_face: { zh: "镜头前一直有第二张脸", en: "A second face stays before the camera" },
  picture_frozen: { zh: "画面静止不动", en: "The picture stands still" },
  no_face: { zh: "镜头前长时间没有人脸", en: "No face before the camera for too long" },
  no_picture: { zh: "长时间没有画面", en: "No picture came for too long" },
  face_unclear: { zh: "人脸长时间看不清", en: "The face was not shown clearly for too long" },
  line_rejoined: { zh: "画面改由另一条线路传来", en: "The pictures come by a new line" },
  watch_lost: { zh: "本系统的比对进程中断过", en: "Our own process that compares was interrupted" },
};

/** The same while it is only a doubt. */
export const doubtWords: Record<ContinuityCue, Text> = {
  ...cueWords,
  other_face: { zh: "人脸与核验时不够相似", en: "The face is less alike than it was" },
  second_face: { zh: "镜头前有第二张脸", en: "There is a second face" },
  no_face: { zh: "镜头前暂时没有人脸", en: "No face at the moment" },
  no_picture: { zh: "暂时没有画面", en: "No picture at the moment" },
  face_unclear: { zh: "还没有看清人脸", en: "The face has not been seen clearly" },
};

/** What to change before the finger is laid down again. */
export const fingerAdviceWords: Record<FingerAdvice, Text> = {
  no_finger: { zh: "没有检测到手指，请把手指放到玻璃上", en: "No finger was seen. Put it on the glass" },
  lifted_early: { zh: "抬起过早，请放平不动，直到完成", en: "Lifted too early. Leave it there until it is done" },
  press_more: { zh: "请稍微用力按", en: "Press a little more" },
  too_dry: { zh: "手指太干，请对手指哈一口气", en: "Too dry: breathe on your fingertip" },
  too_wet: { zh: "手指太湿，请擦干，轻轻按", en: "Too wet: dry your finger and press lightly" },
  move_to_middle: { zh: "请把手指放到玻璃中间", en: "Put your finger in the middle of the glass" },
  hold_still: { zh: "手指移动了，请放稳不动", en: "Your finger moved. Hold it still" },
  clean_glass: { zh: "请用软布擦净玻璃", en: "Wipe the glass with a soft cloth" },
  use_more_of_pad: { zh: "请把指腹放平，不要只按指尖", en: "Lay the finger flat, not only its tip" },
  same_finger: { zh: "这不是刚才那根手指，请用同一根", en: "This is not the finger you gave first. Use the same one" },
  not_alike: {
    zh: "与登记的指纹不一致，请用登记时的那根手指",
    en: "Not the registered finger. Use that one, laid flat",
  },
  sensor_doubts: { zh: "指纹仪没有认出皮肤，请直接用手指按", en: "The scanner did not see skin. Use your bare finger" },
};

/** ISO/IEC 19794-2's numbers of fingers, 1 to 10. */
export const fingerNames: readonly Text[] = [
  { zh: "手指", en: "finger" },
  { zh: "右手拇指", en: "right thumb" },
  { zh: "右手食指", en: "right index finger" },
  { zh: "右手中指", en: "right middle finger" },
  { zh: "右手无名指", en: "right ring finger" },
  { zh: "右手小指", en: "right little finger" },
  { zh: "左手拇指", en: "left thumb" },
  { zh: "左手食指", en: "left index finger" },
  { zh: "左手中指", en: "left middle finger" },
  { zh: "左手无名指", en: "left ring finger" },
  { zh: "左手小指", en: "left little finger" },
];

/** One instruction at a time, short enough to read from a step away. */
export const guidanceWords: Record<GuidanceCode, Text> = {
  starting: { zh: "请看屏幕", en: "Look at the screen" },
  no_face: { zh: "请将面部对准椭圆框", en: "Put your face in the oval" },
  two_faces: { zh: "请只留一个人在镜头前", en: "Only one person, please" },
  come_closer: { zh: "请靠近一点", en: "Come a little closer" },
  move_back: { zh: "请退后一点", en: "Move back a little" },
  move_to_middle: { zh: "请移到中间", en: "Move to the middle" },
  too_dark: { zh: "太暗了，请面向光线", en: "Too dark: turn towards the light" },
  too_bright: { zh: "太亮了，请避开强光", en: "Too bright: move out of the light" },
  side_light: { zh: "光从一侧来，请转向光线", en: "Light from one side: turn to face it" },
  covered: { zh: "请不要遮挡镜头和脸", en: "Uncover the camera and your face" },
  look_straight: { zh: "请正视屏幕", en: "Look straight ahead" },
  open_eyes: { zh: "请睁开眼睛", en: "Open your eyes" },
  hold_still: { zh: "很好，请不要动", en: "Good. Hold still" },
  move_now: { zh: "请按要求做动作", en: "Do the movement now" },
  back_to_middle: { zh: "很好，请回到正面", en: "Good. Back to the middle" },
  done: { zh: "完成，谢谢", en: "Done, thank you" },
};

/** Left and right are the person's own. */
export const movementWords: Record<Movement, Text> = {
  turn_left: { zh: "请慢慢向左转头", en: "Turn your head slowly to your left" },
  turn_right: { zh: "请慢慢向右转头", en: "Turn your head slowly to your right" },
  look_up: { zh: "请慢慢抬头", en: "Look up slowly" },
  come_closer: { zh: "请慢慢靠近镜头", en: "Come closer slowly" },
  blink: { zh: "请闭眼一秒，再睁开", en: "Close your eyes for a second, then open them" },
};

export const cardStepWords: Record<CardStep, Text> = {
  waiting_for_card: { zh: "等待证件", en: "Waiting for the card" },
  opening: { zh: "找到芯片", en: "Finding the chip" },
  access: { zh: "打开芯片", en: "Opening the chip" },
  reading_security: { zh: "读取安全签名", en: "Reading the security signature" },
  reading_text: { zh: "读取姓名等信息", en: "Reading your details" },
  reading_portrait: { zh: "读取照片", en: "Reading the portrait" },
  checking: { zh: "核验证件真伪", en: "The counter checks it" },
};

export const readerWords: Record<ReaderState, Text> = {
  no_service: {
    zh: "读卡服务没有运行，请联系工作人员",
    en: "The card service is not running. Please talk to a person",
  },
  no_reader: { zh: "没有找到读卡器，请换一台终端", en: "No card reader found. Please use another kiosk" },
  empty: { zh: "读卡器已准备好", en: "The reader is ready" },
  card_present: { zh: "证件已放好", en: "The card is on the reader" },
  reading: { zh: "正在读取，请不要移动证件", en: "Reading. Do not move the card" },
};

export const fingerStepWords: Record<FingerStep, Text> = {
  waiting_for_finger: { zh: "请把手指平放在玻璃上", en: "Lay the finger flat on the glass" },
  hold_still: { zh: "很好，请保持不动", en: "Good. Keep it still" },
  checking: { zh: "可以抬起手指了，正在核对", en: "You may lift the finger. The counter checks it" },
};

export const scannerWords: Record<ScannerState, Text> = {
  none: { zh: "这台终端没有指纹仪", en: "This kiosk has no fingerprint scanner" },
  ready: { zh: "指纹仪已准备好", en: "The fingerprint scanner is ready" },
  gone: {
    zh: "指纹仪没有应答，请联系工作人员",
    en: "The fingerprint scanner does not answer. Please talk to a person",
  },
  capturing: { zh: "正在采集，请不要移动手指", en: "Taking the picture. Do not move the finger" },
};

export const lineWords: Record<Line, Text> = {
  none: { zh: "没有连接", en: "No connection" },
  connecting: { zh: "正在连接", en: "Connecting" },
  ok: { zh: "画面和声音正常", en: "Picture and sound are fine" },
  lost: { zh: "画面中断，正在重新连接", en: "Picture lost, reconnecting" },
};

export const assuranceWords: Record<Assurance, Text> = {
  none: { zh: "不核验身份", en: "Identity not checked" },
  live_person: { zh: "仅确认是真人，不核对身份", en: "A living person, but not whose identity" },
  chip_and_face: { zh: "证件芯片 + 人脸比对", en: "Genuine chip and matching face" },
  chip_and_finger: { zh: "证件芯片 + 指纹比对", en: "Genuine chip and matching finger" },
  chip_face_and_finger: { zh: "证件芯片 + 人脸 + 指纹比对", en: "Genuine chip, matching face and matching finger" },
};

export const deviceWords: Record<DeviceTrouble["device"], Text> = {
  camera: { zh: "摄像头", en: "camera" },
  microphone: { zh: "麦克风", en: "microphone" },
};

export const troubleWords: Record<DeviceTrouble["trouble"], Text> = {
  refused: { zh: "未获许可", en: "not allowed" },
  missing: { zh: "没有找到", en: "not found" },
  busy: { zh: "被占用", en: "used by another program" },
  ended: { zh: "已断开", en: "disconnected" },
};

export const channelWords: Record<Channel, Text> = {
  kiosk: { zh: "自助终端", en: "Kiosk" },
  phone: { zh: "手机", en: "Phone" },
};

export const outcomeWords: Record<CheckOutcome, Text> = {
  passed: { zh: "通过", en: "Passed" },
  failed: { zh: "不通过", en: "Failed" },
  not_possible: { zh: "无法核验", en: "Not possible" },
};

/** For the clerk: where the customer stands. */
export const stateWords: Record<VisitState, Text> = {
  consent: { zh: "客户正在阅读告知", en: "Customer reads the consent" },
  card: { zh: "正在读取证件", en: "Card is being read" },
  face: { zh: "正在人脸核验", en: "Face check" },
  finger: { zh: "正在按指纹", en: "Fingerprint" },
  form: { zh: "客户正在填写", en: "Customer fills in the form" },
  confirm: { zh: "客户正在确认", en: "Customer confirms" },
  waiting: { zh: "客户正在排队", en: "Customer waits" },
  serving: { zh: "正在接待", en: "Serving" },
  reading: { zh: "客户正在阅读文件", en: "Customer reads the document" },
  countersigning: { zh: "等待您的签署", en: "Waiting for your signature" },
  approving: { zh: "等待另一人复核", en: "Waiting for a second person" },
  sealing: { zh: "正在封存", en: "Sealing the record" },
  done: { zh: "已办结", en: "Done" },
  refused: { zh: "已拒绝", en: "Refused" },
  cancelled: { zh: "已取消", en: "Cancelled" },
  interrupted: { zh: "已中断", en: "Interrupted" },
};
