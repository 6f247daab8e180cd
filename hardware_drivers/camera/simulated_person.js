// A person in front of a camera, made from one photograph: for test browsers only, injected before the page's scripts.
//
// Replaces getUserMedia and enumerateDevices. The picture is a canvas stream: the photograph is laid over a simple
// three-dimensional head (ellipsoid, nose ridge, eye sockets, fitted on 68 landmarks), turned, and drawn by a small
// software rasteriser: triangles on a 2D canvas cost ten times as much, and WebGL is absent in many headless browsers.
//
// Input:   window.__simulatedPerson = {photo: base64 JPEG 640x480, landmarks: [[x, y] * 68], mode, seed, other}
//          `other` is somebody else's photograph of the same size, who sits there in mode `swapped`.
//          `mode` may be changed while it runs (page.evaluate), as a person changes their mind.
// Reads:   <html data-face-guidance data-face-movement>, which the page sets to what it asks of the customer.
// Signs:   positive yaw is the person's own left, which is the picture's right; positive pitch looks up.
(() => {
  "use strict";
  const WIDTH = 640;
  const HEIGHT = 480;
  const FPS = 15;
  const STEP = 6; // px between mesh points; a nose is about 25 px wide here
  const TURN = (27 * Math.PI) / 180;
  const LOOK_UP = (20 * Math.PI) / 180;
  const CLOSER = 1.35;
  const RISE_MS = 700;
  const REST_MS = 900; // before trying again when the page still asks

  const config = window.__simulatedPerson;
  if (!config || window.top !== window) return;

  // --- what the page asks, and how a human answers it ------------------------------------------------------------

  const MOVES = {
    turn_left: { yaw: TURN },
    turn_right: { yaw: -TURN },
    look_up: { pitch: LOOK_UP },
    come_closer: { zoom: CLOSER },
    blink: { lid: 1 },
  };
  const WRONG = { turn_left: "turn_right", turn_right: "turn_left", look_up: "turn_left", come_closer: "turn_left" };

  let seed = config.seed || 7;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; // Numerical Recipes' LCG: repeatable per seed
    return seed / 4294967296;
  };

  const asked = { key: "", since: 0, delay: 0, from: 0, until: Infinity };

  /** 0 at rest, 1 at the peak of what was asked, with a reaction time and smooth ends. */
  const effort = (now) => {
    const smooth = (x) => (x <= 0 ? 0 : x >= 1 ? 1 : x * x * (3 - 2 * x));
    if (now < asked.from) return 0;
    const up = smooth((now - asked.from) / RISE_MS);
    return asked.until === Infinity ? up : Math.min(up, 1 - smooth((now - asked.until) / RISE_MS));
  };

  const state = { movement: "", zoomRest: 1 };

  const pose = (now) => {
    const mode = window.__simulatedPerson.mode;
    if (mode === "still") return { yaw: 0, pitch: 0, zoom: 1, lid: 0, dx: 0, dy: 0 };
    const data = document.documentElement.dataset;
    const guidance = data.faceGuidance || "";
    const key = guidance === "move_now" ? data.faceMovement || "" : "";
    const reaction = 300 + 300 * random();
    if (key !== asked.key) {
      if (key) {
        state.movement = mode === "wrong" ? WRONG[key] || "" : key;
        asked.from = now + reaction;
        asked.until = Infinity;
      } else if (asked.until === Infinity) {
        asked.until = Math.max(now + reaction, asked.from + RISE_MS);
      }
      asked.key = key;
    }
    if (key && asked.until === Infinity && now > asked.from + RISE_MS + 1600) asked.until = now; // tired of holding
    if (key && now > asked.until + RISE_MS + REST_MS) {
      asked.from = now;
      asked.until = Infinity;
    }
    if (guidance === "come_closer") state.zoomRest = Math.min(1.6, state.zoomRest * 1.01);
    if (guidance === "move_back") state.zoomRest = Math.max(0.8, state.zoomRest * 0.99);
    const amount = effort(now);
    const move = MOVES[state.movement] || {};
    const t = now / 1000;
    const blink = (t * 0.31) % 1 < 0.045 ? 1 : 0; // every 3.2 s for 0.15 s
    return {
      yaw: amount * (move.yaw || 0) + 0.022 * Math.sin(t * 0.9) + 0.009 * Math.sin(t * 2.3 + 1),
      pitch: amount * (move.pitch || 0) + 0.015 * Math.sin(t * 0.7 + 2),
      zoom: state.zoomRest * (1 + amount * ((move.zoom || 1) - 1)),
      lid: Math.max(blink, amount * (move.lid || 0)),
      dx: 2.2 * Math.sin(t * 0.6) + 0.7 * Math.sin(t * 1.9),
      dy: 1.4 * Math.sin(t * 0.8 + 1),
    };
  };

  // --- the head ----------------------------------------------------------------------------------------------------

  const points = config.landmarks;
  const centre = (from, to) => {
    let x = 0;
    let y = 0;
    for (let i = from; i < to; i++) {
      x += points[i][0];
      y += points[i][1];
    }
    return [x / (to - from), y / (to - from)];
  };
  const rightEye = centre(36, 42);
  const leftEye = centre(42, 48);
  const brow = centre(17, 27);
  const chin = points[8];
  const halfWidth = 0.57 * Math.hypot(points[16][0] - points[0][0], points[16][1] - points[0][1]); // to the ears
  const faceHeight = chin[1] - brow[1];
  const crown = brow[1] - 0.72 * faceHeight; // landmarks end at the brows
  const headX = (points[0][0] + points[16][0]) / 2;
  const headY = (chin[1] + crown) / 2;
  const halfHeight = 0.53 * (chin[1] - crown);
  const camera = 7 * halfWidth; // about half a metre

  const bump = (x, y, at, sigma, height) => {
    const dx = x - at[0];
    const dy = y - at[1];
    return height * Math.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
  };

  const nose = (x, y) => {
    const [ax, ay] = points[27];
    const [bx, by] = points[30];
    const along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2);
    const t = Math.max(0, Math.min(1, along));
    const dx = x - (ax + t * (bx - ax));
    const dy = y - (ay + t * (by - ay));
    const sigma = (0.1 + 0.05 * t) * halfWidth;
    return halfWidth * (0.04 + 0.34 * t) * Math.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
  };

  const columns = Math.ceil(WIDTH / STEP) + 1;
  const rows = Math.ceil(HEIGHT / STEP) + 1;
  const count = columns * rows;
  const meshX = new Float32Array(count);
  const meshY = new Float32Array(count);
  const depth = new Float32Array(count);
  const weight = new Float32Array(count);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const i = row * columns + column;
      const x = Math.min(WIDTH - 1, column * STEP);
      const y = Math.min(HEIGHT - 1, row * STEP);
      const ex = (x - headX) / halfWidth;
      const ey = (y - headY) / halfHeight;
      const r = Math.hypot(ex, ey);
      meshX[i] = x;
      meshY[i] = y;
      let z = 0;
      // superellipsoid; an exponent nearer 0.5 would be rounder and stretch ears and hair like rubber
      const inside = 1 - Math.abs(ex) ** 2.3 - Math.abs(ey) ** 2.6;
      if (inside > 0) z = 0.85 * halfWidth * inside ** 0.8;
      z += nose(x, y);
      z -= bump(x, y, rightEye, 0.16 * halfWidth, 0.07 * halfWidth);
      z -= bump(x, y, leftEye, 0.16 * halfWidth, 0.07 * halfWidth);
      depth[i] = z;
      const fade = Math.max(0, Math.min(1, (r - 1) / 0.55));
      weight[i] = 1 - fade * fade * (3 - 2 * fade); // hair and neck give way; the background stays
    }
  }

  // --- drawing -------------------------------------------------------------------------------------------------------

  const outX = new Float32Array(count);
  const outY = new Float32Array(count);
  const outZ = new Float32Array(count);
  const zBuffer = new Float32Array(WIDTH * HEIGHT);

  const project = (p) => {
    const cosYaw = Math.cos(p.yaw);
    const sinYaw = Math.sin(p.yaw);
    const cosPitch = Math.cos(p.pitch);
    const sinPitch = Math.sin(p.pitch);
    for (let i = 0; i < count; i++) {
      const w = weight[i];
      const px = meshX[i] - headX;
      const py = meshY[i] - headY;
      if (w === 0) {
        outX[i] = meshX[i];
        outY[i] = meshY[i];
        outZ[i] = 0;
        continue;
      }
      const z = depth[i];
      const flat = (camera - z) / camera; // the photograph is a projection already: undo it, turn, project again
      const x0 = px * flat;
      const y0 = py * flat;
      const x1 = x0 * cosYaw + z * sinYaw;
      const z1 = -x0 * sinYaw + z * cosYaw;
      const y2 = y0 * cosPitch - z1 * sinPitch;
      const z2 = y0 * sinPitch + z1 * cosPitch;
      const scale = camera / (camera - z2);
      outX[i] = meshX[i] + w * (x1 * scale - px + p.dx);
      outY[i] = meshY[i] + w * (y2 * scale - py + p.dy);
      outZ[i] = w * z2;
    }
  };

  const triangle = (source, target, a, b, c) => {
    const x0 = outX[a], y0 = outY[a], x1 = outX[b], y1 = outY[b], x2 = outX[c], y2 = outY[c];
    const area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
    if (area <= 0.01) return; // turned away from the camera
    const left = Math.max(0, Math.ceil(Math.min(x0, x1, x2)));
    const right = Math.min(WIDTH - 1, Math.floor(Math.max(x0, x1, x2)));
    const top = Math.max(0, Math.ceil(Math.min(y0, y1, y2)));
    const bottom = Math.min(HEIGHT - 1, Math.floor(Math.max(y0, y1, y2)));
    const inverse = 1 / area;
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const wb = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) * inverse;
        const wc = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) * inverse;
        const wa = 1 - wb - wc;
        if (wa < -1e-4 || wb < -1e-4 || wc < -1e-4) continue;
        const z = wa * outZ[a] + wb * outZ[b] + wc * outZ[c];
        const at = y * WIDTH + x;
        if (z < zBuffer[at]) continue;
        zBuffer[at] = z;
        const u = Math.min(WIDTH - 1.01, Math.max(0, wa * meshX[a] + wb * meshX[b] + wc * meshX[c]));
        const v = Math.min(HEIGHT - 1.01, Math.max(0, wa * meshY[a] + wb * meshY[b] + wc * meshY[c]));
        const ui = u | 0, vi = v | 0, fu = u - ui, fv = v - vi;
        const s = (vi * WIDTH + ui) * 4, below = s + WIDTH * 4, o = at * 4;
        const k00 = (1 - fu) * (1 - fv), k10 = fu * (1 - fv), k01 = (1 - fu) * fv, k11 = fu * fv;
        target[o] = source[s] * k00 + source[s + 4] * k10 + source[below] * k01 + source[below + 4] * k11;
        target[o + 1] = source[s + 1] * k00 + source[s + 5] * k10 + source[below + 1] * k01 + source[below + 5] * k11;
        target[o + 2] = source[s + 2] * k00 + source[s + 6] * k10 + source[below + 2] * k01 + source[below + 6] * k11;
      }
    }
  };

  const still = (i) => Math.abs(outX[i] - meshX[i]) < 0.02 && Math.abs(outY[i] - meshY[i]) < 0.02;

  const bend = (source, target, p) => {
    target.set(source);
    zBuffer.fill(-1e9);
    project(p);
    for (let row = 0; row + 1 < rows; row++) {
      for (let column = 0; column + 1 < columns; column++) {
        const a = row * columns + column;
        const b = a + 1;
        const c = a + columns;
        const d = c + 1;
        if (still(a) && still(b) && still(c) && still(d)) continue;
        triangle(source, target, a, b, c);
        triangle(source, target, b, d, c);
      }
    }
  };

  /** The photograph with lids lowered: skin from above each eye is drawn down over it. */
  const lowerLids = (source, amount) => {
    const copy = new Uint8ClampedArray(source);
    for (const [from, browAt] of [[36, 19], [42, 24]]) {
      const eye = points.slice(from, from + 6);
      const left = eye[0][0], right = eye[3][0];
      for (let x = Math.ceil(left); x < right; x++) {
        const t = (x - left) / (right - left);
        const arch = Math.sin(Math.PI * t) ** 0.6;
        const corner = eye[0][1] * (1 - t) + eye[3][1] * t;
        const upper = corner - arch * (corner - (eye[1][1] + eye[2][1]) / 2) - 2;
        const lower = corner + arch * ((eye[4][1] + eye[5][1]) / 2 - corner) + 1;
        const lid = upper + amount * (lower - upper);
        const skin = upper - 0.45 * (upper - points[browAt][1]);
        for (let y = Math.ceil(skin); y < lid; y++) {
          const from_ = Math.round(skin + ((y - skin) / (lid - skin)) * (upper - 2 - skin));
          const dark = lid - y < 2 ? 0.55 : 1; // lashes
          const s = (from_ * WIDTH + x) * 4, o = (y * WIDTH + x) * 4;
          for (let k = 0; k < 3; k++) copy[o + k] = source[s + k] * dark;
        }
      }
    }
    return copy;
  };

  const camera2d = () => {
    const canvas = document.createElement("canvas");
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    return canvas;
  };

  /** Draws the person for ever on a canvas and returns its stream. Every call is one opened camera. */
  const openCamera = async () => {
    const bytes = Uint8Array.from(atob(config.photo), (c) => c.charCodeAt(0));
    // a Blob, not an <img>: a page's content security policy may forbid data: pictures, and rightly
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    const somebodyElse = config.other
      ? await createImageBitmap(new Blob([Uint8Array.from(atob(config.other), (c) => c.charCodeAt(0))], { type: "image/jpeg" }))
      : bitmap;
    const sheet = camera2d();
    const sheet2d = sheet.getContext("2d", { willReadFrequently: true });
    sheet2d.drawImage(bitmap, 0, 0, WIDTH, HEIGHT);
    const open = sheet2d.getImageData(0, 0, WIDTH, HEIGHT).data;
    const lids = [open, lowerLids(open, 0.55), lowerLids(open, 1)];
    const frame = sheet2d.createImageData(WIDTH, HEIGHT);
    frame.data.set(open);
    const shown = camera2d();
    const shown2d = shown.getContext("2d", { alpha: false });
    const stream = shown.captureStream(FPS);
    const [track] = stream.getVideoTracks();

    const draw = () => {
      const mode = window.__simulatedPerson.mode;
      if (mode === "covered") {
        shown2d.fillStyle = Date.now() % 2 ? "#050505" : "#060606"; // changes, or no frame would be sent
        shown2d.fillRect(0, 0, WIDTH, HEIGHT);
        return;
      }
      if (mode === "absent") {
        const wall = shown2d.createLinearGradient(0, 0, WIDTH, HEIGHT);
        wall.addColorStop(0, "#b9b4a8");
        wall.addColorStop(1, Date.now() % 2 ? "#7e8288" : "#7e8388");
        shown2d.fillStyle = wall;
        shown2d.fillRect(0, 0, WIDTH, HEIGHT);
        return;
      }
      if (mode === "frozen") {
        shown2d.fillStyle = `rgb(${performance.now() & 255},128,128)`; // the same picture goes on being sent
        shown2d.fillRect(0, 0, 1, 1);
        return;
      }
      const p = pose(performance.now());
      if (mode === "swapped") {
        shown2d.drawImage(somebodyElse, p.dx, p.dy);
        return;
      }
      bend(lids[Math.round(2 * p.lid)], frame.data, p);
      sheet2d.putImageData(frame, 0, 0);
      if (mode === "two") {
        const from = Math.max(0, Math.min(WIDTH / 2, headX - WIDTH / 4));
        shown2d.drawImage(sheet, from, 0, WIDTH / 2, HEIGHT, 0, 0, WIDTH / 2, HEIGHT);
        shown2d.drawImage(sheet, from, 0, WIDTH / 2, HEIGHT, WIDTH / 2, 0, WIDTH / 2, HEIGHT);
        return;
      }
      const z = p.zoom;
      shown2d.fillStyle = "#808080";
      shown2d.fillRect(0, 0, WIDTH, HEIGHT);
      shown2d.drawImage(sheet, headX - z * headX, headY - z * headY, z * WIDTH, z * HEIGHT);
      shown2d.fillStyle = `rgb(${performance.now() & 255},128,128)`; // even a still picture must go on being sent
      shown2d.fillRect(0, 0, 1, 1);
    };
    draw();
    // a timer, not requestAnimationFrame, which stops in a page that is not in front
    const timer = setInterval(() => (track.readyState === "ended" ? clearInterval(timer) : draw()), 1000 / FPS);
    window.__simulatedPerson.canvas = shown;
    return track;
  };

  /** A soft tone, so that a recording of this person is not silent. */
  const openMicrophone = () => {
    const audio = new AudioContext();
    const tone = audio.createOscillator();
    const soft = audio.createGain();
    const out = audio.createMediaStreamDestination();
    tone.frequency.value = 220;
    soft.gain.value = 0.02;
    tone.connect(soft).connect(out);
    tone.start();
    if (audio.state !== "running") {
      audio.resume().catch(() => undefined);
      addEventListener("pointerdown", () => audio.resume().catch(() => undefined), { once: true, capture: true });
    }
    return out.stream.getAudioTracks()[0];
  };

  const devices = [
    { deviceId: "simulated-camera", kind: "videoinput", label: "Simulated person", groupId: "simulated" },
    { deviceId: "simulated-microphone", kind: "audioinput", label: "Simulated voice", groupId: "simulated" },
  ].map((device) => ({ ...device, toJSON: () => device }));

  const refusals = { refused: "NotAllowedError", missing: "NotFoundError", busy: "NotReadableError" };

  const getUserMedia = async (constraints) => {
    const refusal = refusals[window.__simulatedPerson.mode];
    if (refusal) throw new DOMException("simulated", refusal);
    const tracks = [];
    if (constraints && constraints.video) tracks.push(await openCamera());
    if (constraints && constraints.audio) tracks.push(openMicrophone());
    if (!tracks.length) throw new TypeError("at least one of audio and video must be requested");
    return new MediaStream(tracks);
  };

  const media = navigator.mediaDevices;
  if (!media) return; // not a secure context: real browsers have no camera there either
  Object.defineProperty(media, "getUserMedia", { value: getUserMedia, configurable: true });
  Object.defineProperty(media, "enumerateDevices", { value: async () => devices, configurable: true });
})();
