/** How something stands: a visit, a line, a check, a device, and whether it is still the same person. */
import type {
  Assurance,
  Channel,
  CheckOutcome,
  ContinuityCue,
  DeviceTrouble,
  Line,
  Text,
  VisitState,
} from "../../../../webrtc/web/wire";

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

export const channelWords: Record<Channel, Text> = {
  kiosk: { zh: "自助终端", en: "Kiosk" },
  phone: { zh: "手机", en: "Phone" },
};

export const lineWords: Record<Line, Text> = {
  none: { zh: "没有连接", en: "No connection" },
  connecting: { zh: "正在连接", en: "Connecting" },
  ok: { zh: "画面和声音正常", en: "Picture and sound are fine" },
  lost: { zh: "画面中断，正在重新连接", en: "Picture lost, reconnecting" },
};

export const assuranceWords: Record<Assurance, Text> = {
  none: { zh: "不核验身份", en: "Identity not checked" },
  live_person: { zh: "仅确认是真人，不确认身份", en: "A living person; identity not confirmed" },
  chip_and_face: { zh: "证件芯片 + 人脸比对", en: "Genuine chip and matching face" },
  chip_and_finger: { zh: "证件芯片 + 指纹比对", en: "Genuine chip and matching finger" },
  chip_face_and_finger: { zh: "证件芯片 + 人脸 + 指纹比对", en: "Genuine chip, matching face and matching finger" },
};

export const outcomeWords: Record<CheckOutcome, Text> = {
  passed: { zh: "通过", en: "Passed" },
  failed: { zh: "不通过", en: "Failed" },
  not_possible: { zh: "无法核验", en: "Not possible" },
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
