/** What customer and clerk read about the line, their devices, and who and what is in the call. */
import type { BrowserKind } from "../../../../webrtc/web/browser";
import type { LineWord } from "../../../../webrtc/web/statistics";
import type { LineVerdict, Text, ThirdKind } from "../../../../webrtc/web/wire";

export const callWords = {
  lineTitle: { zh: "您的网络", en: "Your connection" },
  lineFinding: {
    zh: "正在测试网络，约 10 秒。发送的是测试图案，不是您的画面。您可以先往下阅读。",
    en: "Testing your connection, about 10 seconds. A test pattern is sent, not your picture. Read on meanwhile.",
  },
  lineUnreachable: {
    zh: "画面和声音暂时无法到达柜台",
    en: "Picture and sound cannot reach the counter just now",
  },
  lineWeak: { zh: "网络太弱或太慢，暂时无法通话", en: "Too weak or too slow for a call just now" },
  lineHelpPhone: {
    zh: "请换用 Wi-Fi 或移动数据，靠近路由器，关闭 VPN，再测一次。也可以到网点的自助终端办理。",
    en: "Change between Wi-Fi and mobile data, go nearer to the router, switch off a VPN, then test again. Or use a kiosk in a branch.",
  },
  lineHelpKiosk: {
    zh: "请再测一次；如仍不行，请告诉大堂工作人员，或改到另一台终端办理。",
    en: "Test again. If it stays like this, tell the staff in the hall or go to another kiosk.",
  },
  lineMayTry: {
    zh: "您仍可继续，但很可能在验证人脸或通话时中断。",
    en: "You may go on, but it will most likely break off at the face check or in the call.",
  },
  lineCoarseHint: {
    zh: "可以继续。换到更好的网络，画面会更清楚。",
    en: "You can go on. On a better network the picture would be sharper.",
  },
  lineUnavailable: {
    zh: "现在无法测试网络，原因在柜台一方。您可以继续办理。",
    en: "The connection cannot be tested now; that is the counter's fault, not yours. You can go on.",
  },
  lineAgain: { zh: "再测一次", en: "Test again" },
  lineTrip: { zh: "往返 {ms} 毫秒", en: "{ms} ms there and back" },
  lineLoss: { zh: "丢包 {percent}%", en: "{percent} % lost" },
  lineRate: { zh: "至少 {rate} Mbit/s", en: "at least {rate} Mbit/s" },
  lineReceived: { zh: "收 {rate} Mbit/s", en: "in {rate} Mbit/s" },
  lineSent: { zh: "发 {rate} Mbit/s", en: "out {rate} Mbit/s" },
  lineFrames: { zh: "{n} 帧/秒", en: "{n} pictures/s" },
  lineFreezes: { zh: "卡顿 {n} 次", en: "{n} freezes" },
  lineQuality: { zh: "通话质量", en: "Call quality" },
  lineBadNow: {
    zh: "网络不稳定，画面可能停顿。请靠近路由器，或关闭其他正在使用网络的程序。通话会继续。",
    en: "Your connection is weak, so the picture may stop. Go nearer to the router or close other programs that use it. The call goes on.",
  },
  lineBadNowKiosk: {
    zh: "网络不稳定，画面可能停顿。通话会继续，您不需要操作。",
    en: "The connection is weak, so the picture may stop. The call goes on; there is nothing to do for you.",
  },
  lineBefore: { zh: "排队前测得：{what}", en: "Measured before the queue: {what}" },
  deviceTest: { zh: "测试摄像头和麦克风", en: "Test camera and microphone" },
  deviceTitle: { zh: "摄像头、麦克风和扬声器", en: "Camera, microphone and speaker" },
  devicePicture: { zh: "您的画面", en: "Your picture" },
  deviceCamera: { zh: "摄像头", en: "Camera" },
  deviceMicrophone: { zh: "麦克风", en: "Microphone" },
  deviceSpeaker: { zh: "扬声器", en: "Speaker" },
  deviceDefault: { zh: "系统默认", en: "As the system has it" },
  deviceTone: { zh: "播放测试音", en: "Play a test tone" },
  deviceLevel: { zh: "麦克风音量", en: "How loud you are" },
  deviceSpeak: { zh: "请说一句话，看音量条是否移动。", en: "Say a few words and see whether the bar moves." },
  deviceHeard: { zh: "能听到您的声音。", en: "You can be heard." },
  cameraTookOver: { zh: "摄像头已断开，现改用“{name}”。", en: "The camera was unplugged. Now in use: {name}." },
  cameraBack: { zh: "摄像头已恢复：“{name}”。", en: "The camera is back: {name}." },
  microphoneTookOver: {
    zh: "麦克风已断开，现改用“{name}”。",
    en: "The microphone was unplugged. Now in use: {name}.",
  },
  microphoneBack: { zh: "麦克风已恢复：“{name}”。", en: "The microphone is back: {name}." },

  showingTitle: { zh: "出示材料", en: "Show something" },
  showPapers: { zh: "用另一个摄像头出示文件", en: "Show papers with the other camera" },
  showScreen: { zh: "共享屏幕", en: "Share my screen" },
  showingPapers: {
    zh: "柜员正在看您出示的文件，并录入本次办理记录。",
    en: "The clerk sees your papers. They are recorded with this visit.",
  },
  showingScreen: {
    zh: "柜员正在看您的屏幕，并录入本次办理记录。请关闭无关窗口。",
    en: "The clerk sees your screen. It is recorded with this visit: close what does not belong here.",
  },
  showingOwn: { zh: "您出示的画面", en: "What you are showing" },
  showingStop: { zh: "停止出示", en: "Stop showing" },
  showingRefused: { zh: "未获许可，因此没有出示任何内容。", en: "It was not allowed, so nothing is shown." },
  showingFailed: {
    zh: "第二个摄像头无法打开。请直接对着摄像头出示文件。",
    en: "The second camera did not open. Hold the paper before the camera instead.",
  },
  shownByCustomer: { zh: "客户出示的材料", en: "Shown by the customer" },
  sideShown: { zh: "客户出示的材料", en: "Shown by the customer" },
  sideInterpreter: { zh: "译员", en: "Interpreter" },
  sideColleague: { zh: "另一位柜员", en: "Second clerk" },

  inviteWhom: { zh: "邀请加入通话", en: "Ask into the call" },
  inviteOne: { zh: "{name}（{kind}）", en: "{name}, {kind}" },
  inviteAsk: { zh: "邀请", en: "Ask in" },
  inviteWaits: { zh: "已邀请 {name}，等待答复…", en: "{name} was asked, no answer yet…" },
  inviteTakeBack: { zh: "撤回邀请", en: "Take it back" },
  inviteNobody: { zh: "现在没有可邀请的同事。", en: "No colleague is free to be asked in." },
  invitedTitle: { zh: "通话邀请", en: "You are asked into a call" },
  invitedIn: { zh: "您在通话中", en: "You are in the call" },
  invitedText: { zh: "{name} 请您加入 {number} 号的通话。", en: "{name} asks you into the call with {number}." },
  invitedInside: {
    zh: "您已加入 {name} 与 {number} 号的通话，双方都能看到和听到您，您的音像会被录制。",
    en: "You are in {name}'s call with {number}. Both see and hear you, and you are recorded.",
  },
  invitedAccept: { zh: "加入通话", en: "Join the call" },
  invitedDecline: { zh: "暂时不便", en: "Not now" },
  invitedLeave: { zh: "离开通话", en: "Leave the call" },
  thirdJoined: { zh: "{name}（{kind}）加入了通话。", en: "{name}, {kind}, has joined the call." },
  thirdPicture: { zh: "{kind}的画面", en: "Picture: {kind}" },
  lineRelayed: { zh: "经中继服务器", en: "through a relay" },
} as const satisfies Record<string, Text>;

/** How a running call's line is now. */
export const lineQualityWords: Record<LineWord, Text> = {
  good: { zh: "良好", en: "good" },
  fair: { zh: "一般", en: "fair" },
  bad: { zh: "差", en: "bad" },
};

/** What a measured line is good for. */
export const verdictWords: Record<LineVerdict, Text> = {
  good: { zh: "适合视频通话", en: "Good for video" },
  coarse: { zh: "可以通话，但画面会较粗糙，优先保证声音", en: "Works but coarse: sound comes first" },
  not_now: { zh: "暂时无法通话", en: "Not possible now" },
};

/** What somebody beside customer and clerk is there for. */
export const thirdKindWords: Record<ThirdKind, Text> = {
  supervisor: { zh: "主管", en: "supervisor" },
  interpreter: { zh: "译员", en: "interpreter" },
  colleague: { zh: "另一位柜员", en: "second clerk" },
};

/** Where a browser hides its permission switch. */
export const permissionWords: Record<BrowserKind, Text> = {
  chrome: {
    zh: "点击地址栏左侧的图标，把摄像头和麦克风改为“允许”，再按下面的按钮。",
    en: "Press the icon left of the address, set camera and microphone to “Allow”, then use the button below.",
  },
  firefox: {
    zh: "点击地址栏左侧被划掉的摄像头图标，清除“已阻止”，再按下面的按钮并选择“允许”。",
    en: "Press the crossed-out camera left of the address, clear “Blocked”, then use the button below and choose “Allow”.",
  },
  safari: {
    zh: "在菜单“Safari 浏览器 › 网站设置”中允许摄像头和麦克风，然后重新载入本页。",
    en: "Open “Safari › Settings for This Website”, allow camera and microphone, then load this page again.",
  },
  ios: {
    zh: "点击地址栏的页面菜单 › 网站设置，允许摄像头和麦克风；若没有这一项，请到“设置”›浏览器中允许，然后重新载入本页。",
    en: "Press the page menu in the address bar › Website Settings and allow both. If it is not there, allow both for the browser in Settings, then load this page again.",
  },
  android: {
    zh: "点击地址栏左侧的图标 › 权限，允许摄像头和麦克风；若仍不行，请在系统设置的应用权限中允许浏览器使用。",
    en: "Press the icon left of the address › Permissions and allow both. If that is not enough, allow the browser itself under app permissions in Settings.",
  },
};
