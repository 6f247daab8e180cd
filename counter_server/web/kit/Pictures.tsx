/** Moving and still pictures: the other side, oneself, and pictures that need the visit's token. */
import { useEffect, useRef, useState } from "react";
import type { Call } from "../../../webrtc/web/call";
import type { Api } from "./api";
import { Button } from "./parts";
import { useWords } from "./words";

/** The other side, with sound. */
interface RemotePictureProps {
  readonly call: Call | null;
  readonly label: string;
  /** Identifier of the loudspeaker it is heard from; "" for the system's own. */
  readonly speaker?: string;
}

export function RemotePicture({ call, label, speaker = "" }: RemotePictureProps) {
  const { t } = useWords();
  const video = useRef<HTMLVideoElement>(null);
  const [silent, setSilent] = useState(false);
  useEffect(() => {
    const element = video.current;
    if (element === null || call === null) {
      return;
    }
    const stopShowing = call.show(element);
    const play = (): void => {
      if (element.srcObject !== null) {
        // browsers keep a page silent until its person touched it once
        element.play().then(
          () => setSilent(false),
          (refusal: unknown) => setSilent(refusal instanceof DOMException && refusal.name === "NotAllowedError"),
        );
      }
    };
    const stopPlaying = call.subscribe(play);
    play();
    return () => {
      stopPlaying();
      stopShowing();
    };
  }, [call]);
  useEffect(() => {
    const element = video.current;
    if (element !== null && "setSinkId" in element) {
      element.setSinkId(speaker).catch(() => undefined); // unplugged meanwhile: the system's own plays
    }
  }, [speaker]);
  return (
    <>
      {/* biome-ignore lint/a11y/useMediaCaption: a live conversation has no captions yet (research K28) */}
      <video ref={video} className="remote" aria-label={label} autoPlay playsInline />
      {silent && (
        <Button kind="primary" onPress={() => void video.current?.play().then(() => setSilent(false))}>
          {t("soundOn")}
        </Button>
      )}
    </>
  );
}

/** Whose stream is shown to its own person. */
interface Shown {
  readonly stream: MediaStream | null;
  readonly subscribe: (listener: () => void) => () => void;
}

/** Oneself, as in a mirror, without sound. */
export function OwnPicture({ devices, label }: { readonly devices: Shown; readonly label: string }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (element === null) {
      return;
    }
    const attach = (): void => {
      if (element.srcObject !== devices.stream) {
        element.srcObject = devices.stream;
      }
    };
    attach();
    const stop = devices.subscribe(attach);
    return () => {
      stop();
      element.srcObject = null;
    };
  }, [devices]);
  return <video ref={video} className="own" aria-label={label} autoPlay playsInline muted />;
}

/** An SVG text as an address for `<img>`; alone in a file it must name its language, which inline SVG leaves out. */
export function svgAddress(svg: string): string {
  const named = svg.includes("xmlns=") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(named)}`;
}

export type Loading = "loading" | "here" | "none" | "failed";

/** A still picture fetched with the page's own credentials; `loading` until it is there. */
export function useStill(api: Api, path: string | null): { readonly url: string | null; readonly state: Loading } {
  const [still, setStill] = useState<{ url: string | null; state: Loading }>({ url: null, state: "loading" });
  useEffect(() => {
    let wanted = true;
    let made: string | null = null;
    setStill({ url: null, state: path === null ? "none" : "loading" });
    if (path !== null) {
      api.picture(path).then(
        (url) => {
          made = url;
          if (wanted) {
            setStill({ url, state: url === null ? "none" : "here" });
          } else if (url !== null) {
            URL.revokeObjectURL(url);
          }
        },
        () => {
          if (wanted) {
            setStill({ url: null, state: "failed" });
          }
        },
      );
    }
    return () => {
      wanted = false;
      if (made !== null) {
        URL.revokeObjectURL(made);
      }
    };
  }, [api, path]);
  return still;
}
