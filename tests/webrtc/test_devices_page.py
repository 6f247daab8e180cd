"""Whoever leaves while the browser still asks for camera or screen is not filmed by an answer that comes later."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page

from tests.webrtc.stage import browsers
from tests.webrtc.test_playback_page import bundle

# The browser's own question stands until `answer` is called; what is granted then is Chromium's real fake camera.
QUESTION = """
const granted = [];
{
  const media = navigator.mediaDevices, take = media.getUserMedia.bind(media);
  media.getUserMedia = async (wish) => {
    await new Promise((done) => { window.answer = done });
    const stream = await take(wish);
    granted.push(...stream.getTracks());
    return stream };
  media.getDisplayMedia = () => media.getUserMedia({ video: true });
}
const live = () => granted.map((track) => track.readyState === 'live');
"""


@asynccontextmanager
async def page_with(source: str, folder: Path, more: str) -> AsyncIterator[Page]:
    """A page of one module, before whose devices a question stands."""
    async with browsers(1) as ((browser,), address):
        page = await browser.new_page()
        await page.goto(address)
        await page.add_script_tag(content=bundle(source, folder) + QUESTION + more, type="module")
        await page.wait_for_function("() => window.run !== undefined")
        yield page


async def test_a_camera_granted_after_the_visit_is_let_go_and_the_next_visit_gets_its_own(tmp_path: Path) -> None:
    run = """
    window.run = async () => {
      const devices = new Devices();
      const late = devices.acquire();
      devices.stop();
      answer();
      const left = { stream: await late, held: devices.stream, live: live() };
      granted.length = 0;
      const first = devices.acquire();
      devices.stop();
      const next = devices.acquire();
      answer();
      await first;
      const begun = { next: (await next) === devices.stream && devices.stream !== null, live: live() };
      const chosen = devices.choose('camera', devices.inUse('camera'));
      devices.stop();
      answer();
      await chosen;
      return { left, ...begun, held: devices.stream, ended: live() } };
    """
    async with page_with("webrtc/web/devices.ts", tmp_path, run) as page:
        seen = await page.evaluate("run()")
    assert seen["left"] == {"stream": None, "held": None, "live": [False, False]}
    assert (seen["next"], seen["live"]) == (True, [True, True])
    assert (seen["held"], seen["ended"]) == (None, [False, False, False])


async def test_a_screen_chosen_after_the_call_is_not_shown(tmp_path: Path) -> None:
    run = """
    window.run = async () => {
      const second = new SecondPicture({});
      const late = second.begin('screen');
      second.stop();
      answer();
      const left = { begun: await late, what: second.what, live: live() };
      granted.length = 0;
      const next = second.begin('screen');
      answer();
      return { left, begun: await next, what: second.what, live: live() } };
    """
    async with page_with("webrtc/web/second_picture.ts", tmp_path, run) as page:
        seen = await page.evaluate("run()")
    assert seen["left"] == {"begun": False, "what": None, "live": [False]}
    assert (seen["begun"], seen["what"], seen["live"]) == (True, "screen", [True])
