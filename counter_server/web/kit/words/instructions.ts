/** What card reader, finger scanner and camera ask of the person before them, one thing at a time. */
import type { CardStep, FingerAdvice, GuidanceCode, Movement, ReaderState, Text } from "../../../../webrtc/web/wire";

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
