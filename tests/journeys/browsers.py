"""Two headless Chromiums: one is the kiosk's screen and the customer's phone, one the clerks' consoles."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

# The demo's media goes over loopback alone, which Chromium leaves out of its candidates unless told otherwise.
ARGUMENTS = ("--disable-gpu", "--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required")
FAKE_DEVICES = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
KIOSK_SIZE: ViewportSize = {"width": 1024, "height": 1366}
PHONE_SIZE: ViewportSize = {"width": 412, "height": 915}
CONSOLE_SIZE: ViewportSize = {"width": 1440, "height": 900}
PATIENCE_MS = 20_000  # two cores may run two browsers, the worker and the face process at once
LOCALES = {"zh": "zh-CN", "en": "en-GB"}


class NoChromiumError(Exception):
    """No Chromium is installed; the message says how to get one."""


@dataclass(slots=True)
class Browsers:
    """Both browsers, and what went wrong in any page."""

    customers: Browser
    clerks: Browser
    faults: list[str]

    def kiosk(self, script: str) -> Page:
        """A kiosk's screen, with a simulated customer before its camera."""
        context = self.customers.new_context(viewport=KIOSK_SIZE, locale=LOCALES["zh"], has_touch=True)
        context.add_init_script(script)
        return self._watched(context)

    def phone(self, script: str, language: str) -> Page:
        """A phone in a simulated customer's hand."""
        context = self.customers.new_context(
            viewport=PHONE_SIZE,
            locale=LOCALES[language],
            has_touch=True,
            is_mobile=True,
            ignore_https_errors=True,
        )
        context.add_init_script(script)
        return self._watched(context)

    def console(self, language: str) -> Page:
        """A clerk's own browser profile, with Chromium's fake camera and microphone."""
        context = self.clerks.new_context(viewport=CONSOLE_SIZE, locale=LOCALES[language], ignore_https_errors=True)
        return self._watched(context)

    def _watched(self, context: BrowserContext) -> Page:
        """A page whose script errors are not lost."""
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        return page


def find_chromium() -> str:
    """Path of a Chromium.

    Raises:
        NoChromiumError: there is none.
    """
    for name in ("chromium", "google-chrome-stable", "google-chrome", "chromium-browser"):
        path = shutil.which(name)
        if path:
            return path
    raise NoChromiumError("no Chromium here; ./run doctor says how to get one")


@contextlib.contextmanager
def two_browsers() -> Iterator[Browsers]:
    """Both, for as long as the block lasts."""
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses to run as root
    path = find_chromium()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        words = [*ARGUMENTS, *FAKE_DEVICES, *as_root]
        customers = playwright.chromium.launch(executable_path=path, args=words)
        clerks = playwright.chromium.launch(executable_path=path, args=words)
        try:
            yield Browsers(customers, clerks, [])
        finally:
            for browser in (customers, clerks):
                browser.close()
