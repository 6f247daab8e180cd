"""What a journey tells while it goes: each step with its duration, a picture of the screens, and all of it as JSON."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Error, Page

from tests.journeys.access import violations


class StoryError(Exception):
    """Something that must hold did not."""


@dataclass(slots=True)
class Report:
    """Steps of one run.

    Attributes:
        folder: For pictures and steps.json.
        steps: (chapter, step, seconds) in order.
        figures: Durations that are of interest by themselves, in seconds.
        barriers: What axe found on the screens.
    """

    folder: Path
    steps: list[tuple[str, str, float]] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    barriers: list[str] = field(default_factory=list)
    _chapter: str = ""
    _pictures: int = 0

    def chapter(self, title: str) -> None:
        """A new part of the story."""
        self._chapter = title
        print(f"\n{title}", flush=True)

    @contextlib.contextmanager
    def step(self, name: str, **screens: Page) -> Iterator[None]:
        """Time a block and print it; then a picture of each screen, also when the block failed."""
        began = time.monotonic()
        held = False
        try:
            yield
            held = True
        finally:
            took_s = time.monotonic() - began
            print(f"  {'ok ' if held else 'NOT'} {took_s:7.2f} s  {name}", flush=True)
            self.steps.append((self._chapter, name, took_s))
            for screen, page in screens.items():
                self.picture(page, screen, name if held else f"FAILED {name}")

    def picture(self, page: Page, screen: str, name: str) -> None:
        """One screenshot, and what axe says of the screen; a page that is gone is no reason to fail."""
        self._pictures += 1
        plain = "".join(letter if letter.isalnum() else "-" for letter in name.lower())[:50].strip("-")
        with contextlib.suppress(Error):
            page.screenshot(path=self.folder / f"{self._pictures:02d}-{screen}-{plain}.png")
            self.barriers += [f"{screen} after {name!r}: {barrier}" for barrier in violations(page)]

    def say(self, sentence: str) -> None:
        """What a step found out, below it."""
        print(f"                  {sentence}", flush=True)

    def figure(self, name: str, seconds: float) -> None:
        """A duration to remember."""
        self.figures[name] = round(seconds, 3)

    def write(self, *, held: bool) -> None:
        """Everything as JSON, and the figures for people."""
        steps = [{"chapter": chapter, "step": step, "s": round(took_s, 3)} for chapter, step, took_s in self.steps]
        content = {"held": held, "steps": steps, "figures": self.figures}
        (self.folder / "steps.json").write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        if self.figures:
            print("\nWhere the time goes")
            for name, seconds in self.figures.items():
                print(f"  {seconds:7.2f} s  {name}")
