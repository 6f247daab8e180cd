/** Camera, microphone and speaker before the call: which ones, one's own picture, and whether one is heard. */
import { useEffect, useId, useState, useSyncExternalStore } from "react";
import { browserKind } from "../../../webrtc/web/browser";
import type { Chosen, Devices } from "../../../webrtc/web/devices";
import { LevelMeter } from "../../../webrtc/web/level";
import { OwnPicture } from "./Pictures";
import { Button, Sheet } from "./parts";
import { useWords, type Word } from "./words";
import { permissionWords } from "./words/call";

const CHOICES: readonly (readonly [Chosen, Word])[] = [
  ["camera", "deviceCamera"],
  ["microphone", "deviceMicrophone"],
  ["speaker", "deviceSpeaker"],
];

/** Chrome, Edge and Firefox let a page choose where it plays; Safari plays where the system says. */
const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;

/** A short soft tone: 440 Hz at a tenth of full scale. */
const TONE_HZ = 440;
const TONE_GAIN = 0.1;
const TONE_S = 0.8;

async function playTone(speaker: string): Promise<void> {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const gain = context.createGain();
  const out = context.createMediaStreamDestination();
  tone.frequency.value = TONE_HZ;
  gain.gain.value = TONE_GAIN;
  tone.connect(gain).connect(out);
  const element = new Audio();
  element.srcObject = out.stream; // through an element, as calls are: contexts ignore the chosen speaker in Firefox
  if (canChooseSpeaker && speaker !== "") {
    await element.setSinkId(speaker).catch(() => undefined); // unplugged meanwhile: the system's own plays
  }
  tone.start();
  tone.stop(context.currentTime + TONE_S);
  tone.onended = () => void context.close();
  await element.play();
}

/** Drawn again whenever the devices change. */
export function useDevices(devices: Devices): void {
  useSyncExternalStore(
    devices.subscribe,
    () => `${devices.exchange?.label}${devices.stream?.id}${devices.inUse("speaker")}`,
  );
}

export function DeviceCheck({ devices, onClose }: { readonly devices: Devices; readonly onClose: () => void }) {
  const { t } = useWords();
  useDevices(devices);
  return (
    <Sheet title={t("deviceTitle")} onClose={onClose}>
      <div className="device-check">
        <div className="device-picture">
          <OwnPicture devices={devices} label={t("devicePicture")} />
        </div>
        <Level devices={devices} />
        {CHOICES.map(([what, name]) => (
          <Choice key={what} devices={devices} what={what} name={t(name)} />
        ))}
      </div>
      <div className="actions">
        <Button onPress={() => void playTone(devices.inUse("speaker"))}>{t("deviceTone")}</Button>
        <Button kind="primary" onPress={onClose}>
          {t("close")}
        </Button>
      </div>
    </Sheet>
  );
}

/** The one in use; a list only where there is something to choose. */
function Choice({ devices, what, name }: { readonly devices: Devices; readonly what: Chosen; readonly name: string }) {
  const { t } = useWords();
  const id = useId();
  const list = devices.list(what);
  if ((what === "speaker" && !canChooseSpeaker) || list.length < 2) {
    return null;
  }
  return (
    <div className="field">
      <label htmlFor={id}>{name}</label>
      <select id={id} value={devices.inUse(what)} onChange={(event) => void devices.choose(what, event.target.value)}>
        {what === "speaker" && <option value="">{t("deviceDefault")}</option>}
        {list.map((one, place) => (
          <option key={one.deviceId} value={one.deviceId}>
            {one.label || `${name} ${place + 1}`}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A bar that follows the voice; the number is for nobody, the movement is. */
function Level({ devices }: { readonly devices: Devices }) {
  const { t } = useWords();
  const [level, setLevel] = useState(0);
  const [heard, setHeard] = useState(false);
  const stream = devices.stream;
  useEffect(() => {
    if (stream === null || stream.getAudioTracks().length === 0) {
      return;
    }
    const meter = new LevelMeter(stream);
    const stop = meter.subscribe(() => {
      setLevel(meter.level);
      setHeard((before) => before || meter.level > HEARD_LEVEL);
    });
    return () => {
      stop();
      meter.stop();
    };
  }, [stream]);
  return (
    <div className="level">
      <meter min={0} max={1} value={level} aria-label={t("deviceLevel")} />
      <p className="hint" role="status">
        {t(heard ? "deviceHeard" : "deviceSpeak")}
      </p>
    </div>
  );
}

/** A quiet room stays below 40 % of the bar (-36 dB), a voice at arm's length passes it. */
const HEARD_LEVEL = 0.4;

/** What was exchanged without anybody's doing; said once to those who hear the page. */
export function DeviceExchanged({ devices }: { readonly devices: Devices }) {
  const { t } = useWords();
  useDevices(devices);
  const exchange = devices.exchange;
  const words: Record<string, Word> = {
    "camera took_over": "cameraTookOver",
    "camera back": "cameraBack",
    "microphone took_over": "microphoneTookOver",
    "microphone back": "microphoneBack",
  };
  const word = exchange === null ? undefined : words[`${exchange.device} ${exchange.happened}`];
  return (
    <p className="device-exchanged" role="status">
      {exchange !== null && word !== undefined ? t(word, { name: exchange.label }) : ""}
    </p>
  );
}

/** Where this browser hides its permission switch. */
export function PermissionHelp() {
  const { say } = useWords();
  return <p>{say(permissionWords[browserKind()])}</p>;
}
