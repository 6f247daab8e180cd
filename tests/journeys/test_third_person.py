"""One call, several browsers: waiting, a silent microphone, a supervisor, and an interpreter who is asked in."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.console import ConsoleScreen
from tests.journeys.house import House, stop
from tests.journeys.videos import wait_playing

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

STILL = """(video) => new Promise((done) => {
  const before = video.getVideoPlaybackQuality().totalVideoFrames;
  setTimeout(() => done(video.getVideoPlaybackQuality().totalVideoFrames - before < 3), 1500);
})"""


def stands_still(page: Page, label: str) -> None:
    """Wait until the video of that name shows nothing new."""
    video = page.locator("video").and_(page.get_by_label(label, exact=True))
    page.wait_for_function(STILL, arg=video.element_handle(), polling=200)


def test_waiting_muting_a_supervisor_and_an_interpreter_in_one_call(house: House, clerk: ConsoleScreen) -> None:
    boss, voice = house.clerk("li"), house.clerk("anna")
    kiosk = house.kiosk()
    house.in_call(kiosk, clerk)
    seen, customer = kiosk.word("servingClerkVideo"), clerk.word("customerVideo")
    wait_playing(kiosk.page, seen)

    clerk.button("callHold").click()
    expect(kiosk.page.get_by_text(kiosk.word("servingHeld"))).to_be_visible()
    stands_still(kiosk.page, seen)
    clerk.button("callHold").click()
    expect(kiosk.page.get_by_text(kiosk.word("servingHeld"))).to_have_count(0)
    wait_playing(kiosk.page, seen)
    wait_playing(clerk.page, customer)
    clerk.button("callMute").click()
    expect(kiosk.page.get_by_text(kiosk.word("servingClerkMuted"))).to_be_visible()
    clerk.button("callMute").click()
    expect(kiosk.page.get_by_text(kiosk.word("servingClerkMuted"))).to_have_count(0)

    boss.button("superviseListen").click()
    name = boss.clerk.name
    expect(kiosk.page.get_by_text(kiosk.word("servingListened", name=name))).to_be_visible()
    expect(clerk.page.get_by_text(clerk.word("callListened", name=name))).to_be_visible()
    wait_playing(boss.page, boss.word("sideCustomer"))
    wait_playing(boss.page, boss.word("sideClerk"))
    boss.button("superviseJoin").click()
    kind = "主管"
    expect(kiosk.page.get_by_text(kiosk.word("thirdJoined", name=name, kind=kind))).to_be_visible()
    wait_playing(kiosk.page, kiosk.word("thirdPicture", kind=kind))
    wait_playing(clerk.page, clerk.word("thirdPicture", kind=kind))
    boss.button("superviseLeave").click()
    expect(kiosk.page.get_by_text(kiosk.word("thirdJoined", name=name, kind=kind))).to_have_count(0)

    clerk.page.get_by_label(clerk.word("inviteWhom")).select_option("clerk-anna")
    clerk.button("inviteAsk").click()
    expect(clerk.page.get_by_text(clerk.word("inviteWaits", name=voice.clerk.name))).to_be_visible()
    assert kiosk.page.get_by_text(voice.clerk.name).count() == 0  # nobody is there yet
    voice.button("invitedAccept").click()
    wait_playing(voice.page, voice.word("sideCustomer"))
    joined = kiosk.word("thirdJoined", name=voice.clerk.name, kind="译员")
    expect(kiosk.page.get_by_text(joined)).to_be_visible()
    wait_playing(kiosk.page, kiosk.word("thirdPicture", kind="译员"))
    wait_playing(clerk.page, clerk.word("thirdPicture", kind="译员"))
    expect(clerk.page.locator('.line-quality[data-word="good"], .line-quality[data-word="fair"]')).to_be_visible()
    voice.button("invitedLeave").click()
    expect(kiosk.page.get_by_text(joined)).to_have_count(0)
    wait_playing(kiosk.page, seen)
    stop(kiosk, clerk)
    for screen in (boss, voice):
        screen.page.context.close()
