/**
 * One leg to the counter's media worker: the counter offers, this page answers.
 *
 * The leg is bound to a `LiveChannel` (where offers arrive) and to `Devices` (whose tracks it sends). A new offer
 * replaces the old leg, an offer for the present one finds it another way (the page's address changed). A leg that goes
 * quiet asks for that by `restart`; one that stays down for three seconds asks for a new leg by `join`. A page may have
 * several legs, one `Call` for each part; one without devices only listens.
 */
import { Listeners } from "./listeners";
import type { LiveChannel } from "./signalling";
import type { CallPart, IceServer, OfferMessage } from "./wire";

export type CallState = "idle" | "joining" | "connecting" | "connected" | "lost";

/** ICE calls a leg "disconnected" after a few lost checks and often recovers by itself; longer than this it rarely does. */
const REJOIN_AFTER_MS = 3_000;
/** An offer that does not come, or a leg that never connects, is asked for again. */
const JOIN_AGAIN_MS = 8_000;

/** The counter answers a page that sends pictures ten times a second; a second of nothing is a broken line. */
const QUIET_MS = 1_000;
const LISTEN_EVERY_MS = 250;

export const CLICK_MARK = "call:click";
export const FIRST_PICTURE_MARK = "call:first-picture";

function iceServer(server: IceServer): RTCIceServer {
  return {
    urls: [...server.urls],
    ...(server.username === null ? {} : { username: server.username }),
    ...(server.credential === null ? {} : { credential: server.credential }),
  };
}

/** Bytes of every kind that arrived on the way in use. */
async function bytesReceived(peer: RTCPeerConnection): Promise<number> {
  let bytes = 0;
  for (const report of (await peer.getStats()).values()) {
    if (report.type === "candidate-pair") {
      bytes += report.bytesReceived ?? 0;
    }
  }
  return bytes;
}

/** Whose tracks a leg sends: the page's camera and microphone, another picture, or a test pattern. */
export interface Source {
  readonly stream: MediaStream | null;
  /** Hear when it sends other tracks than before; they are exchanged in the running leg. */
  readonly subscribe?: (listener: () => void) => () => void;
}

export class Call {
  readonly #channel: LiveChannel;
  readonly #devices: Source | null;
  readonly #part: CallPart;
  readonly #changes = new Listeners();
  readonly #stopListening: (() => void)[];
  #peer: RTCPeerConnection | null = null;
  #legId = "";
  #state: CallState = "idle";
  #wanted = false;
  #remote: MediaStream | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #listening: ReturnType<typeof setInterval> | undefined;
  #clickedAt: number | null = null;

  constructor(channel: LiveChannel, devices: Source | null, part: CallPart = "main") {
    this.#channel = channel;
    this.#devices = devices;
    this.#part = part;
    this.#stopListening = [
      devices?.subscribe?.(() => void this.#exchangeTracks()) ?? (() => undefined),
      channel.onMessage((message) => {
        if (message.type === "offer" && message.part === this.#part) {
          void (message.leg_id === this.#legId ? this.#findAnotherWay(message) : this.#answer(message));
        } else if (message.type === "rejoin" && message.part === this.#part && this.#wanted) {
          this.join();
        }
      }),
      channel.subscribe(() => {
        // the counter drops a page's legs with its connection, so a new connection needs a new leg
        if (channel.state === "open" && this.#wanted) {
          this.join();
        }
      }),
    ];
  }

  get state(): CallState {
    return this.#state;
  }

  /** The other side's picture and sound; a new object for every leg. */
  get remote(): MediaStream | null {
    return this.#remote;
  }

  /** The leg's identifier; another one after every new connection. */
  get leg(): string {
    return this.#legId;
  }

  /** What the browser counts of this leg; null while there is none. */
  readonly stats = async (): Promise<RTCStatsReport | null> => (await this.#peer?.getStats()) ?? null;

  /** Hear when state or remote stream change. */
  readonly subscribe = this.#changes.add;

  /** Ask for a leg, now and after every cut. The devices should be up before. */
  join(): void {
    this.#wanted = true;
    if (this.#channel.send({ type: "join", part: this.#part })) {
      this.#enter("joining");
      this.#later(JOIN_AGAIN_MS);
    }
  }

  /** Send the devices' present tracks on the leg that is up, after a camera came back. */
  async refreshTracks(): Promise<void> {
    await this.#exchangeTracks();
  }

  /** The person asked for a picture now: the time to the next frame shown by `show` is measured from here. */
  clicked(): void {
    performance.clearMarks(CLICK_MARK);
    performance.clearMarks(FIRST_PICTURE_MARK);
    this.#clickedAt = performance.mark(CLICK_MARK).startTime;
  }

  /** Show the other side in this element; call what comes back when the element goes. */
  show(video: HTMLVideoElement): () => void {
    const attach = (): void => {
      if (video.srcObject !== this.#remote) {
        video.srcObject = this.#remote;
      }
    };
    const stop = this.subscribe(attach);
    attach();
    const request = video.requestVideoFrameCallback(() => this.#firstPicture());
    return () => {
      stop();
      video.cancelVideoFrameCallback(request);
      video.srcObject = null;
    };
  }

  /** Hang up and stay down. */
  close(): void {
    this.#wanted = false;
    for (const stop of this.#stopListening) {
      stop();
    }
    this.#hangUp();
    this.#enter("idle");
  }

  /** Nothing is negotiated: the other side only sees another picture. */
  async #exchangeTracks(): Promise<void> {
    const peer = this.#peer;
    for (const transceiver of peer?.getTransceivers() ?? []) {
      const track = this.#localTrack(transceiver);
      if (transceiver.sender.track !== track && peer?.signalingState !== "closed") {
        await transceiver.sender.replaceTrack(track);
      }
    }
  }

  async #answer(offer: OfferMessage): Promise<void> {
    this.#hangUp();
    const peer = new RTCPeerConnection({
      bundlePolicy: "max-bundle",
      iceServers: offer.ice_servers.map(iceServer),
    });
    this.#peer = peer;
    this.#legId = offer.leg_id;
    const remote = new MediaStream();
    peer.ontrack = (event) => {
      remote.addTrack(event.track);
      this.#remote = remote;
      this.#changes.tell();
    };
    peer.onicecandidate = (event) => this.#trickle(offer.leg_id, event.candidate);
    peer.onconnectionstatechange = () => this.#watch(peer);
    this.#enter("connecting");
    this.#later(JOIN_AGAIN_MS);
    try {
      await peer.setRemoteDescription({ type: "offer", sdp: offer.sdp });
      for (const transceiver of peer.getTransceivers()) {
        transceiver.direction = this.#devices === null ? "recvonly" : "sendrecv";
        await transceiver.sender.replaceTrack(this.#localTrack(transceiver));
      }
      const answer = await peer.createAnswer();
      // said before the candidates are known: they follow one by one
      if (this.#peer === peer && answer.sdp) {
        this.#channel.send({ type: "answer", leg_id: offer.leg_id, sdp: answer.sdp });
      }
      await peer.setLocalDescription(answer);
    } catch (problem) {
      if (this.#peer === peer) {
        throw problem;
      } // else: a newer offer closed this one in the middle of a step
    }
  }

  async #findAnotherWay(offer: OfferMessage): Promise<void> {
    const peer = this.#peer;
    try {
      await peer?.setRemoteDescription({ type: "offer", sdp: offer.sdp });
      const answer = await peer?.createAnswer();
      if (this.#peer === peer && answer?.sdp) {
        this.#channel.send({ type: "answer", leg_id: offer.leg_id, sdp: answer.sdp });
      }
      await peer?.setLocalDescription(answer);
    } catch (problem) {
      if (this.#peer === peer) {
        throw problem;
      } // else: a newer offer closed this one in the middle of a step
    }
  }

  /** Notice a quiet line long before ICE does (it takes 6 s to say "disconnected"). */
  #listen(peer: RTCPeerConnection): void {
    let heard = -1;
    let heardAt = performance.now();
    clearInterval(this.#listening);
    this.#listening = setInterval(async () => {
      const bytes = await bytesReceived(peer);
      if (peer !== this.#peer) {
        return;
      }
      // papers and screens stand still, and then nothing is sent for seconds: of those only ICE knows
      const lively = this.#part !== "shown";
      const sending =
        lively && peer.getSenders().some(({ track }) => track?.kind === "video" && track.readyState === "live");
      if (bytes !== heard || !sending) {
        heard = bytes;
        heardAt = performance.now();
        if (this.#state === "lost" && peer.connectionState === "connected") {
          clearTimeout(this.#timer);
          this.#enter("connected");
        }
      } else if (this.#state === "connected" && performance.now() - heardAt > QUIET_MS) {
        this.#lose();
      }
    }, LISTEN_EVERY_MS);
  }

  #lose(): void {
    this.#enter("lost");
    this.#channel.send({ type: "restart", leg_id: this.#legId });
    this.#later(REJOIN_AFTER_MS);
  }

  #trickle(legId: string, candidate: RTCIceCandidate | null): void {
    if (legId === this.#legId) {
      this.#channel.send({
        type: "candidate",
        leg_id: legId,
        candidate: candidate?.candidate || null, // some browsers end with "", the wire with null
        sdp_mid: candidate?.sdpMid ?? null,
        sdp_mline_index: candidate?.sdpMLineIndex ?? null,
      });
    }
  }

  #watch(peer: RTCPeerConnection): void {
    if (peer !== this.#peer) {
      return;
    }
    switch (peer.connectionState) {
      case "connected":
        clearTimeout(this.#timer);
        this.#enter("connected");
        this.#listen(peer);
        break;
      case "disconnected":
      case "failed":
        if (this.#state === "connected" || this.#state === "connecting") {
          this.#lose();
        }
        break;
      default:
        break;
    }
  }

  #later(wait_ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#wanted && this.#state !== "connected") {
        this.join();
      }
    }, wait_ms);
  }

  #localTrack(transceiver: RTCRtpTransceiver): MediaStreamTrack | null {
    const kind = transceiver.receiver.track.kind;
    return this.#devices?.stream?.getTracks().find((track) => track.kind === kind) ?? null;
  }

  #firstPicture(): void {
    if (this.#clickedAt !== null) {
      this.#clickedAt = null;
      performance.mark(FIRST_PICTURE_MARK);
      performance.measure("call:click-to-picture", CLICK_MARK, FIRST_PICTURE_MARK);
    }
  }

  #hangUp(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#listening);
    const peer = this.#peer;
    this.#peer = null;
    this.#legId = "";
    if (peer) {
      peer.ontrack = peer.onicecandidate = peer.onconnectionstatechange = null;
      peer.close();
    }
    if (this.#remote) {
      this.#remote = null;
      this.#changes.tell();
    }
  }

  #enter(state: CallState): void {
    if (this.#state !== state) {
      this.#state = state;
      this.#changes.tell();
    }
  }
}
