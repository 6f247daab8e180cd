"""One house for all journeys of a run, and a clerk at work in it."""

from collections.abc import Generator, Iterator

import pytest

from tests.journeys.browsers import NoChromiumError, find_chromium
from tests.journeys.console import ConsoleScreen
from tests.journeys.customer import TALLY
from tests.journeys.house import House, open_house
from tests.journeys.programs import last_lines

LOG_LINES = 40  # some minutes of a house at work


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A willing person may try again, as people do; how often they had to is told, or nobody would notice."""
    if TALLY["checked"]:
        terminalreporter.write_line(f"face checks of willing people: {TALLY['checked']}, refused {TALLY['refused']}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A journey that failed shows the end of the counter's log: why a face was refused stands nowhere else."""
    report = yield
    house = item.funcargs.get("house")
    if report.failed and isinstance(house, House):
        report.sections.append(("The counter's log", "\n".join(last_lines(house.stack.counter_log, LOG_LINES))))
    return report


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The house; starting it takes 20 s, so journeys share it and leave its desks free."""
    try:
        find_chromium()
    except NoChromiumError as missing:
        pytest.skip(str(missing))
    with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture
def clerk(house: House) -> Iterator[ConsoleScreen]:
    """A clerk at work, whose tab is closed at the end."""
    screen = house.clerk("zhang")
    yield screen
    if not screen.page.is_closed():
        screen.page.context.close()
