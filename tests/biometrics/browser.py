"""A headless Chromium whose camera is the simulated person, filmed frame by frame."""

import base64
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from biometrics.face.engine import Picture
from biometrics.face.guidance import Guidance

PAGE = "http://localhost/"  # a secure context, answered by the test: nothing listens
FRAME_S = 1 / 15  # the counter looks fifteen times a second
OPEN = """async () => {
  const stream = await navigator.mediaDevices.getUserMedia({video: true, audio: true});
  window.seen = document.createElement("video");
  seen.srcObject = stream;
  seen.muted = true;
  await seen.play();
  return stream.getTracks().map((track) => track.kind).sort();
}"""
GRAB = """() => {
  const paper = document.createElement("canvas");
  [paper.width, paper.height] = [640, 480];
  paper.getContext("2d").drawImage(seen, 0, 0);
  return paper.toDataURL("image/png").split(",")[1];
}"""
ASK = """([code, movement]) => {
  document.documentElement.dataset.faceGuidance = code;
  document.documentElement.dataset.faceMovement = movement;
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser without a window, or the test is skipped where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"],
        )
        yield browser
        browser.close()


class Film:
    """One page with an opened camera."""

    def __init__(self, browser: Browser, script: str) -> None:
        context = browser.new_context()
        context.add_init_script(script)
        self.page: Page = context.new_page()
        self.page.route(PAGE, lambda route: route.fulfill(body="<html></html>", content_type="text/html"))
        self.page.goto(PAGE)
        self.kinds: list[str] = self.page.evaluate(OPEN)

    def ask(self, guidance: Guidance) -> None:
        """Show guidance as the product's pages do."""
        self.page.evaluate(ASK, [guidance.code.value, guidance.movement.value if guidance.movement else ""])

    def frame(self) -> Picture:
        """What the camera sees now."""
        png = base64.b64decode(self.page.evaluate(GRAB))
        return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)

    def wait(self, seconds: float) -> None:
        """Let the person move."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close page and camera."""
        self.page.context.close()


class Line:
    """Pictures as the counter gets them: through VP8 at a poor line's rate."""

    def __init__(self, bits_per_s: int = 350_000) -> None:
        encoder = av.CodecContext.create("libvpx", "w")
        encoder.width, encoder.height, encoder.pix_fmt = 640, 480, "yuv420p"
        encoder.bit_rate = bits_per_s
        encoder.time_base = Fraction(1, 7)
        encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        self._encoder = encoder
        self._decoder = av.CodecContext.create("vp8", "r")

    def carry(self, picture: Picture) -> Picture:
        """The picture after the line."""
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        for packet in self._encoder.encode(frame):
            for seen in self._decoder.decode(packet):
                return np.ascontiguousarray(seen.to_ndarray(format="bgr24"), dtype=np.uint8)
        raise AssertionError("the encoder kept a frame back")
