/** What customers read while they show who they are: card, finger, face, and once more in mid-call. */
import type { Text } from "../../../../webrtc/web/wire";

export const identityWords = {
  cardTitle: { zh: "请输入证件上的三项信息", en: "Type three things from your card" },
  cardWhy: {
    zh: "芯片要凭这三项信息才能打开。它们只留在这台终端上。",
    en: "They are the key that opens the chip, and they stay on this kiosk.",
  },
  cardNumber: { zh: "证件号码", en: "Document number" },
  cardNumberHint: { zh: "字母和数字，如 D23145890", en: "Letters and digits, such as D23145890" },
  cardBirth: { zh: "出生日期", en: "Date of birth" },
  cardExpiry: { zh: "有效期至", en: "Date of expiry" },
  cardBirthHint: { zh: "如 1985 年 3 月 27 日", en: "For example 27 3 1985" },
  cardExpiryHint: { zh: "如 2031 年 9 月 14 日", en: "For example 14 9 2031" },
  day: { zh: "日", en: "Day" },
  month: { zh: "月", en: "Month" },
  year: { zh: "年", en: "Year" },
  cardDrawing: {
    zh: "示意图：证件正面上号码、出生日期和有效期的位置",
    en: "Drawing: where number, date of birth and date of expiry stand on the card",
  },
  cardRead: { zh: "读取证件", en: "Read my card" },
  cardPutTitle: { zh: "请把证件放在读卡器上", en: "Put your card on the reader" },
  cardPutText: { zh: "平放，放好后不要移动。", en: "Lay it flat and leave it there." },
  cardReadingTitle: { zh: "正在读取，请不要移动证件", en: "Reading. Do not move the card" },
  cardProgress: { zh: "读取进度", en: "Reading progress" },
  cardNumberWrong: {
    zh: "请输入证件号码，只含字母和数字",
    en: "Enter the number of your card: letters and digits only",
  },
  cardDateWrong: { zh: "请输入完整、正确的日期", en: "Enter a complete date that exists" },
  cardKeep: { zh: "读取完成前请勿移动，完成后可取回证件。", en: "You can take your card back when it has been read." },

  fingerTitle: { zh: "请按{finger}", en: "Put your {finger} on the scanner" },
  fingerEnrolTitle: { zh: "登记{finger}", en: "Register your {finger}" },
  fingerWhy: {
    zh: "与您登记过的指纹比对一次。不保存图像。",
    en: "It is compared once with the finger you registered. No picture is kept.",
  },
  fingerEnrolWhy: {
    zh: "请按三次，每次之间抬起手指。不保存图像。",
    en: "Three times, lifting the finger in between. No picture is kept.",
  },
  fingerPreview: { zh: "指纹仪的实时画面", en: "Live picture of the scanner" },
  fingerPut: { zh: "请把手指平放在玻璃中间", en: "Lay the finger flat in the middle of the glass" },
  fingerHold: { zh: "很好，请不要动", en: "Good. Hold still" },
  fingerChecking: { zh: "可以抬起手指，正在核对", en: "You may lift it. It is being checked" },
  fingerLift: { zh: "很好。请抬起手指，再按一次", en: "Good. Lift the finger, then lay it down again" },
  fingerProgress: { zh: "登记进度", en: "Progress" },
  fingerOf: { zh: "已完成 {n} 次，共 {all} 次", en: "{n} of {all} done" },
  fingerStart: { zh: "开始按指纹", en: "Begin" },
  fingerOther: { zh: "登记哪根手指", en: "Which finger" },
  fingerCannot: { zh: "我无法按指纹", en: "I cannot give a finger" },
  fingerWithout: { zh: "不按指纹，继续", en: "Go on without it" },
  fingerCannotText: {
    zh: "受伤、缺失或不愿按，都不影响办理：由柜员和第二人为您核对。",
    en: "Injured, missing, or you would rather not: nothing is lost. A clerk and a second person look instead.",
  },
  fingerStop: { zh: "不登记了", en: "Stop, register nothing" },
  fingerStopText: {
    zh: "不登记指纹，同样可以办理所有业务。",
    en: "Without a registered finger every service stays open to you.",
  },
  fingerNoScanner: {
    zh: "这台终端的指纹仪没有应答。您可以不按指纹继续，由柜员和第二人核对。",
    en: "The fingerprint scanner does not answer. You can go on without it: a clerk and a second person look instead.",
  },
  fingerNoScannerEnrol: {
    zh: "这台终端的指纹仪没有应答。请换一台终端登记。",
    en: "The fingerprint scanner does not answer. Please register at another kiosk.",
  },
  fingerRegistered: { zh: "登记的手指", en: "Registered finger" },

  faceTitle: { zh: "请正对摄像头", en: "Look at the camera" },
  facePreview: { zh: "您的画面（镜像）", en: "Your picture (mirrored)" },
  faceProgress: { zh: "核验进度", en: "Progress of the check" },
  faceStarting: { zh: "正在打开摄像头…", en: "Opening the camera…" },
  faceConnecting: { zh: "正在连接柜台…", en: "Connecting to the counter…" },
  faceAnotherMovement: { zh: "换一个动作", en: "Another movement, please" },
  faceColours: {
    zh: "屏幕颜色会缓慢变化，用来确认镜头前是真人。",
    en: "The screen changes its colour slowly, to make sure that a person is here.",
  },
  faceNoColours: { zh: "不要变换颜色", en: "No changing colours, please" },
  faceFailedTitle: { zh: "本次核验未通过", en: "That did not work" },
  faceFailedLive: { zh: "没有检测到要求的动作。", en: "The movements asked for were not seen." },
  faceFailedMatch: {
    zh: "人脸与证件照片未能匹配。请摘下帽子、口罩或墨镜，面向光线。",
    en: "The picture does not fit the portrait on the card yet. Take off hat, mask or sunglasses and face the light.",
  },
  faceAttempts: { zh: "还可以试 {n} 次", en: "Tries left: {n}" },
  faceNoComparison: {
    zh: "手机没有证件照片可比：这里只确认是真人。",
    en: "A phone has no card portrait to compare with: this only confirms a living person.",
  },
  cameraTitle: { zh: "打不开摄像头", en: "The camera did not open" },
  cameraRefused: {
    zh: "浏览器未获准使用摄像头。请在地址栏或系统设置中允许，然后重试。",
    en: "The browser was not allowed to use the camera. Allow it in the address bar or settings, then try again.",
  },
  cameraMissing: { zh: "没有找到摄像头，请换一台设备。", en: "No camera was found. Please use another device." },
  cameraBusy: {
    zh: "摄像头正被其他程序占用。请关闭该程序后重试。",
    en: "Another program is using the camera. Close it and try again.",
  },
  cameraEnded: { zh: "摄像头已断开，请检查后重试。", en: "The camera was disconnected. Check it and try again." },
  microphoneRefused: {
    zh: "麦克风未获许可，柜员听不到您。请在设置中允许。",
    en: "The microphone is not allowed, so the clerk cannot hear you. Allow it in the settings.",
  },
  microphoneMissing: {
    zh: "没有找到麦克风，柜员听不到您。",
    en: "No microphone was found, so the clerk cannot hear you.",
  },
  microphoneBusy: {
    zh: "麦克风正被其他程序占用，柜员听不到您。",
    en: "Another program uses the microphone, so the clerk cannot hear you.",
  },
  microphoneEnded: {
    zh: "麦克风已断开，柜员听不到您。",
    en: "The microphone was disconnected, so the clerk cannot hear you.",
  },
  mediaAgain: { zh: "重新打开摄像头和麦克风", en: "Open camera and microphone again" },

  againTitle: { zh: "请再确认一次是您本人", en: "Please show once more that it is you" },
  againText: {
    zh: "通话没有结束。重新核验后，同一位柜员继续为您办理。",
    en: "The call goes on. Once you are identified again, the same clerk continues.",
  },
  againWait: {
    zh: "暂时不能签名：柜台需要再确认一次是您本人。柜员会告诉您怎么做。",
    en: "Nothing can be signed just now: the counter has to make sure it is you. The clerk tells you what to do.",
  },
  lookUpPlease: { zh: "请看一下镜头", en: "Please look at the camera for a moment" },
} as const satisfies Record<string, Text>;
