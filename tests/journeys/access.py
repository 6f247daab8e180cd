"""What axe finds on a page by its own choice of rules: the part of accessibility that a program can judge."""

from functools import cache

from playwright.sync_api import Page

from tests.journeys.programs import REPOSITORY

AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
RUN = """() => axe.run(document)
  .then(found => found.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ")).join(", ")))"""


def violations(page: Page) -> list[str]:
    """One line per broken rule, with the elements that break it; empty when axe has nothing to say."""
    page.evaluate(axe_source())
    found: list[str] = page.evaluate(RUN)
    return found


@cache
def axe_source() -> str:
    """The checker itself; evaluated from outside, so the page's own policy stays as strict as it is."""
    return AXE.read_text("utf-8")
