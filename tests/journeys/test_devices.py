"""Devices in real browsers: tested before the call, pulled and back in mid-call; papers under a second camera."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.console import ConsoleScreen
from tests.journeys.forms import NEW_CARD
from tests.journeys.house import House, stop
from tests.journeys.videos import wait_playing

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

# Plugs a second camera into the page's own devices: a sheet of paper. Chromium's fake devices cannot be unplugged, so
# a cable is pulled where the browser would tell of it: the track ends, the list lacks the device, an event says so.
CABLES = """() => {
  const media = navigator.mediaDevices;
  const [list, take] = [media.enumerateDevices.bind(media), media.getUserMedia.bind(media)];
  const paper = document.createElement("canvas");
  paper.width = 1280; paper.height = 720;
  let count = 0;
  setInterval(() => {
    const sheet = paper.getContext("2d");
    sheet.fillStyle = "white"; sheet.fillRect(0, 0, 1280, 720);
    sheet.fillStyle = "black"; sheet.font = "60px sans-serif";
    sheet.fillText(`CONTRACT ${count++}`, 100, 360);
  }, 100);
  window.__gone = [];
  const own = async () => (await list()).filter((one) => one.kind === "videoinput")[0].deviceId;
  const put = (name, value) => Object.defineProperty(media, name, { value, configurable: true, writable: true });
  put("enumerateDevices", async () => [
    ...(await list()), { kind: "videoinput", deviceId: "papers", label: "Paper camera", groupId: "" },
  ].filter((one) => !window.__gone.includes(one.deviceId)));
  put("getUserMedia", async (wish) => {
    if (wish.video?.deviceId?.exact !== "papers") {
      const stream = await take(wish); // a simulated person's canvas does not know which camera it stands for
      const deviceId = await own();
      for (const track of stream.getVideoTracks()) track.getSettings = () => ({ deviceId });
      return stream;
    }
    const stream = paper.captureStream(10);
    for (const track of stream.getTracks()) {
      track.getSettings = () => ({ deviceId: "papers" });
      Object.defineProperty(track, "label", { value: "Paper camera" });
    }
    return stream;
  });
  window.__pull = () => {
    const track = document.querySelector("video.own").srcObject.getVideoTracks()[0];
    window.__gone.push(track.getSettings().deviceId);
    track.stop();
    track.dispatchEvent(new Event("ended"));
    media.dispatchEvent(new Event("devicechange"));
  };
  window.__plug = () => { window.__gone = []; media.dispatchEvent(new Event("devicechange")); };
}"""

RATIO = """(name) => {
  const video = document.querySelector(`video[aria-label="${name}"]`);
  return video.videoWidth / video.videoHeight;
}"""
OWN_LABEL = "() => document.querySelector('video.own').srcObject.getVideoTracks()[0].label"


def with_cables(page: Page) -> None:
    """A page whose cameras can be pulled and plugged."""
    page.add_init_script(f"({CABLES})()")
    page.reload()


def test_a_second_picture_and_a_camera_pulled_in_mid_call(house: House) -> None:
    person = house.stack.clerks["zhang"]
    clerk = ConsoleScreen(house.browsers.console(person.language), person)
    clerk.page.goto(house.stack.console_url)
    with_cables(clerk.page)
    clerk.log_in(house.stack.console_url)
    kiosk = house.kiosk()
    with_cables(kiosk.page)
    kiosk.start()
    house.in_queue(kiosk, "补办银行卡", NEW_CARD)
    kiosk.touch("deviceTest")
    sheet = kiosk.page.get_by_role("dialog", name=kiosk.word("deviceTitle"))
    expect(sheet.get_by_label(kiosk.word("deviceCamera"))).to_be_visible()
    expect(sheet.get_by_role("meter", name=kiosk.word("deviceLevel"))).to_be_visible()
    wait_playing(kiosk.page, kiosk.word("devicePicture"))
    kiosk.page.screenshot(path=house.stack.folder / "device-check.png")
    sheet.get_by_role("button", name=kiosk.word("close"), exact=True).click()
    clerk.take_next()
    kiosk.state("serving")
    wait_playing(clerk.page, clerk.word("customerVideo"))

    # papers under the second camera
    kiosk.touch("showPapers")
    expect(kiosk.page.get_by_text(kiosk.word("showingPapers"))).to_be_visible()
    wait_playing(clerk.page, clerk.word("shownByCustomer"))
    assert clerk.page.evaluate(RATIO, clerk.word("shownByCustomer")) == pytest.approx(16 / 9, rel=0.02)  # no face
    assert clerk.page.evaluate(RATIO, clerk.word("customerVideo")) == pytest.approx(4 / 3, rel=0.02)
    clerk.page.screenshot(path=house.stack.folder / "shown-clerk.png")
    kiosk.page.screenshot(path=house.stack.folder / "shown-kiosk.png")
    kiosk.touch("showingStop")
    expect(clerk.page.get_by_label(clerk.word("shownByCustomer"))).to_have_count(0)

    # the clerk's camera is pulled: the other takes over within the same leg, and gives back
    first = clerk.page.evaluate(OWN_LABEL)
    clerk.page.evaluate("window.__pull()")
    expect(clerk.page.get_by_text(clerk.word("cameraTookOver", name="Paper camera"))).to_be_visible()
    assert clerk.page.evaluate(OWN_LABEL) == "Paper camera"
    wait_playing(kiosk.page, kiosk.word("servingClerkVideo"))
    clerk.page.evaluate("window.__plug()")
    expect(clerk.page.get_by_text(clerk.word("cameraBack", name=first))).to_be_visible()
    wait_playing(kiosk.page, kiosk.word("servingClerkVideo"))
    stop(kiosk, clerk)
    clerk.page.context.close()
