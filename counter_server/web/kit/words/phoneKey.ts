/** What customers read about being recognised by their phone. It is a thing they have: no word here says fingerprint match. */
import type { Text } from "../../../../webrtc/web/wire";

export const phoneKeyWords = {
  phoneKeyWas: { zh: "我上次已让本手机记住", en: "This phone was remembered at an earlier visit" },
  phoneKeyFirst: {
    zh: "选好业务后，先请您确认这是上次的手机。",
    en: "Once you have chosen, we first ask whether this is the phone of last time.",
  },
  phoneKeyShowTitle: { zh: "还是上次那部手机吗？", en: "Is this the phone of last time?" },
  phoneKeyShowText: {
    zh: "请像平时一样解锁手机：指纹、面容或密码都可以。",
    en: "Unlock it the way you always do, by finger, face or code.",
  },
  phoneKeyLearn: {
    zh: "我们只得知这是同一部手机、并且由您解锁。您的指纹、面容和密码不会离开手机。",
    en: "We learn only that it is the same phone and that it was unlocked. Your finger, face and code never leave it.",
  },
  phoneKeyShow: { zh: "确认是这部手机", en: "Yes, recognise this phone" },
  phoneKeyWithout: { zh: "不用手机确认，继续", en: "Continue without it" },
  phoneKeyNot: {
    zh: "没有认出这部手机。可以再试一次，也可以直接继续，办理不受影响。",
    en: "This phone was not recognised. Try again, or continue without it: nothing else changes for you.",
  },
  phoneKeyTries: {
    zh: "已试了三次，没有认出这部手机。请直接继续，办理不受影响。",
    en: "Three tries, and this phone was not recognised. Please continue without it: nothing else changes for you.",
  },
  phoneKeyKnownAlone: {
    zh: "已认出这部手机。人脸核验通过后，本次不需要柜员。",
    en: "This phone was recognised. After the face check you can do this without a clerk.",
  },
  phoneKeyKnown: {
    zh: "已认出这部手机，柜员会看到这一点。",
    en: "This phone was recognised. The clerk will see that.",
  },
  phoneKeyOfferTitle: { zh: "下次用这部手机确认？", en: "Be recognised by this phone next time?" },
  phoneKeyOfferText: {
    zh: "现在解锁一次手机，下次我们就能认出它，部分业务可以更快办完。您的指纹、面容和密码不会离开手机，随时可以取消。",
    en: "Unlock it once now, and next time we know it again; some things then go quicker. Your finger, face and code never leave the phone, and you can take this back at any time.",
  },
  phoneKeyKeep: { zh: "好，记住这部手机", en: "Yes, remember this phone" },
  phoneKeyDecline: { zh: "不用，谢谢", en: "No, thank you" },
  phoneKeyNotKept: {
    zh: "没有设置成功。您的业务已经办好，不受影响。",
    en: "It was not set up. What you came for is done all the same.",
  },
  phoneKeyKept: { zh: "下次来时，我们能认出这部手机。", en: "Next time we can recognise this phone." },
  phoneKeyRemove: { zh: "不再记住这部手机", en: "Forget this phone" },
  phoneKeyRemoved: { zh: "我们不再记住这部手机。", en: "We no longer know this phone." },
  phoneKeyRemovedToo: {
    zh: "手机里留下的通行密钥已无用处，可以在手机设置中删除。",
    en: "The passkey left in the phone opens nothing here; you can delete it in the phone's settings.",
  },
} as const satisfies Record<string, Text>;
