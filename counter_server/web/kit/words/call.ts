/** What customer and clerk read about the line, their devices, and who and what is in the call. */
import type { LineWord } from "../../../../webrtc/web/statistics";
import type { LineVerdict, Text } from "../../../../webrtc/web/wire";

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
  lineBefore: { zh: "排队前测得：{what}", en: "Measured before the queue: {what}" },
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
