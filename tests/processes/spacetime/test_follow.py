"""Following a fit with later events: the same end as a fit of the rest, and nothing from after the end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.background import Background
from forecast.processes.spacetime.decays import Exponential, gaussian
from forecast.processes.spacetime.fit import fit
from forecast.processes.spacetime.follow import followed
from forecast.processes.spacetime.likelihood import Parameters
from forecast.processes.spacetime.simulate import simulate

AREA = Area.box(0.0, 0.0, 4.0, 4.0)
UNIFORM = (Background.uniform(AREA),)


@pytest.fixture(scope="module")
def events():
    truth = Parameters(np.log([[1.0]]), np.array([[0.5]]), Exponential(10.0, 100.0), gaussian(15.0, 100.0))
    return simulate(truth, UNIFORM, 600.0, np.random.default_rng(2))


def test_without_new_events_it_is_the_fit(events):
    found = fit(events, background=UNIFORM)
    again = followed(found, events)
    # The fit stops where the walk of the levels changes by less than 1 %.
    np.testing.assert_allclose(again.parameters.levels, found.parameters.levels, atol=1e-3)
    np.testing.assert_allclose(again.probability, found.probability, atol=1e-3)
    assert again.loglik == pytest.approx(found.loglik, abs=0.01)


def test_later_events_move_levels_only(events):
    then = fit(events.until(500.0), background=UNIFORM)
    now = followed(then, events)
    np.testing.assert_array_equal(now.parameters.shape, then.parameters.shape)
    assert now.catalogue.end == 600.0
    np.testing.assert_array_equal(
        followed(then, events.until(550.0)).probability, followed(then, events.until(550.0)).probability
    )


def test_another_area_is_refused(events):
    found = fit(events, background=UNIFORM)
    other = simulate(
        found.parameters._replace(levels=np.log([[1.0]])), (Background.uniform(Area.box(0.0, 0.0, 2.0, 2.0)),), 100.0,
        np.random.default_rng(1),
    )  # fmt: skip
    with pytest.raises(InputError, match="another area"):
        followed(found, other)


def test_draws_do_not_explode_where_the_estimate_does_not(events):
    found = fit(events.until(100.0), background=UNIFORM)
    assert found.parameters.radius < 1
    rng = np.random.default_rng(3)
    open_to_all = replace(found, covariance=found.covariance * 100)
    assert max(open_to_all.draw(rng).radius for _ in range(200)) < 1
