"""An engine accepts nobody alone for a service that asks for more than its calibration supports."""

from pathlib import Path

import pytest

from counter_server.catalogue.catalogue import Service, load_catalogue
from counter_server.visits import card_step, customer, store
from tests.counter_server.builders import chip_message, decided, face, office_in, opened
from webrtc.wire.catalogue import Route
from webrtc.wire.check import CheckOutcome


@pytest.mark.parametrize(
    ("promised", "route"),
    [
        (0.001, Route.SELF_SERVICE),
        (0.0011, Route.CLERK),
        (1.0, Route.CLERK),
        (None, Route.CLERK),
        (float("nan"), Route.CLERK),
    ],
)
async def test_an_accepted_face_whose_rate_is_too_high_goes_to_a_clerk(
    tmp_path: Path, promised: float | None, route: Route
) -> None:
    async with office_in(tmp_path) as office:
        visit = await opened(office, "change-address")
        await customer.consent(office, visit.visit_id)
        await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
        await decided(office, face(visit.visit_id, fmr_worst_group=promised))
        after = await office.db.run(store.load, visit.visit_id)
        assert after.route is route
        said = [check.outcome for check in after.checks if check.name == "face_error_rate"]
        assert said == ([] if route is Route.SELF_SERVICE else [CheckOutcome.NOT_POSSIBLE])


def test_a_service_without_a_clerk_must_say_how_sure_the_engine_has_to_be() -> None:
    service = load_catalogue()["change-address"]
    with pytest.raises(ValueError, match="go together"):
        Service.model_validate(service.model_dump() | {"unattended_fmr": None})
