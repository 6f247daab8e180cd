"""What arrives in a page's video, as the person would see and hear it."""

from playwright.sync_api import Page, expect

PICTURE_MS = 20_000
# Loudest sample of two seconds of what arrives in this element, as the person would hear it.
HEARD = """async video => {
  const listening = new AudioContext();
  await listening.resume();
  const ear = listening.createAnalyser();
  listening.createMediaStreamSource(video.srcObject).connect(ear);
  const samples = new Float32Array(ear.fftSize);
  let loudest = 0;
  for (let n = 0; n < 40; n++) {
    await new Promise(done => setTimeout(done, 50));
    ear.getFloatTimeDomainData(samples);
    loudest = Math.max(loudest, ...samples.map(Math.abs));
  }
  await listening.close();
  return video.muted ? 0 : loudest;
}"""
AUDIBLE = 0.001  # of full scale; silence after Opus is below a tenth of it
PLAYING = "video => video.videoWidth > 0 && video.currentTime > 0.2"


def wait_playing(page: Page, label: str) -> None:
    """Wait until a video of that name shows moving pictures."""
    video = page.locator("video").and_(page.get_by_label(label, exact=True))
    expect(video).to_be_visible()
    page.wait_for_function(PLAYING, arg=video.element_handle(), timeout=PICTURE_MS)


def loudest(page: Page, label: str) -> float:
    """Loudest sample of two seconds in the video of that name; above `AUDIBLE` somebody is heard."""
    return float(page.locator("video").and_(page.get_by_label(label, exact=True)).evaluate(HEARD))
