"""Outlooks: means against what theory expects, probabilities, parts, maps, bad requests."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.background import Background
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.decays import Exponential, gaussian
from forecast.processes.spacetime.fit import fit
from forecast.processes.spacetime.fitted import FittedSpaceTime
from forecast.processes.spacetime.likelihood import Parameters
from forecast.processes.spacetime.outlook import expected_cells, outlook

PLAIN = {"in_time": Exponential(30.0, 365.0), "in_space": gaussian()}
LAT, LON = np.array([12.0, 11.0, 13.9]), np.array([2.0, 1.0, 3.9])


@pytest.fixture(scope="module")
def found(simulated, uniform) -> FittedSpaceTime:
    return fit(simulated, level_days=np.inf, background=uniform, in_time=Exponential(30.0, 100.0), in_space=gaussian())


def test_the_whole_area_has_the_count_of_a_process_in_time(found):
    """Within a radius of everything, space does not matter: the mean solves m' = b (mu + n sum_j) - b (1 - n) m."""
    at, events = found.parameters, found.catalogue
    n, mu, beta = at.branching[0, 0], np.exp(at.levels[0, 0]), 1 / at.in_time.mean
    ahead = outlook(found, [12.0], [2.0], np.random.default_rng(1), radius_km=2000.0, paths=4000, parameter_draws=0)
    excited = n * beta * np.exp(-beta * (events.end - events.times)).sum()  # the cut-off is ten means away
    kappa = beta * (1 - n)
    upto = 28.0
    stationary = mu / (1 - n)
    mean = stationary * upto + (mu + excited - stationary) * (1 - np.exp(-kappa * upto)) / kappa
    assert ahead.expected.sum() == pytest.approx(mean, rel=0.02)
    assert ahead.counts.sum(axis=1).mean() == pytest.approx(mean, rel=0.02)
    assert ahead.probability[-1, 0] == pytest.approx(1.0, abs=1e-6)


def test_parts_add_up_and_direct_offspring_are_as_expected(found):
    ahead = outlook(found, LAT, LON, np.random.default_rng(2), radius_km=120.0, paths=4000, parameter_draws=0)
    np.testing.assert_allclose(ahead.expected, ahead.counts.mean(axis=0), atol=0.03)
    at, events = found.parameters, found.catalogue
    whole = outlook(found, [12.0], [2.0], np.random.default_rng(3), radius_km=2000.0, paths=4000, parameter_draws=0)
    age = events.end - events.times
    due = (at.in_time.cumulative(age + 28.0) - at.in_time.cumulative(age)).sum() * at.branching[0, 0]
    assert whole.parts[1].sum() == pytest.approx(due, rel=0.03)
    assert whole.parts[0].sum() == pytest.approx(28.0 * np.exp(at.levels[0, 0]), rel=1e-9)
    table = ahead.table(["a", "b", "c"])
    np.testing.assert_allclose(table[["background", "recent events", "further events"]].sum(axis=1), 1.0)


def test_probabilities_are_those_of_the_paths_with_less_noise(found):
    ahead = outlook(found, LAT, LON, np.random.default_rng(4), radius_km=[10.0, 50.0, 100.0], paths=8000)
    counted = (ahead.counts.cumsum(axis=1) > 0).mean(axis=0)
    error = np.sqrt(counted * (1 - counted) / 8000)
    assert (np.abs(ahead.probability - counted) < 4 * error + 1e-3).all()
    assert (np.diff(ahead.probability, axis=0) >= 0).all()
    assert ahead.by_draw.shape == (100, 3)
    np.testing.assert_allclose(ahead.by_draw.mean(axis=0), ahead.probability[-1], atol=1e-12)


def test_without_excitation_the_probability_is_that_of_poisson(uniform):
    rng = np.random.default_rng(5)
    lat, lon = uniform[0].draw(200, rng)
    events = Catalogue.of(np.sort(rng.uniform(0, 400, 200)), lat, lon, uniform[0].area, end=400.0)
    quiet = fit(events, **PLAIN, level_days=np.inf, background=uniform)
    at = quiet.parameters._replace(branching=np.array([[1e-12]]))
    alone = FittedSpaceTime(
        quiet.likelihood, at, quiet.background, quiet.density, quiet.probability, 0.0, 0.02, quiet.free,
        quiet.covariance, (),
    )  # fmt: skip
    ahead = outlook(alone, LAT[:1], LON[:1], rng, radius_km=60.0, paths=50, parameter_draws=0)
    mean = np.exp(at.levels[0, 0]) * uniform[0].within(LAT[:1], LON[:1], 60.0)[0] * 7.0 * np.arange(1, 5)
    np.testing.assert_allclose(ahead.probability[:, 0], 1 - np.exp(-mean), rtol=1e-12)


def test_a_recent_event_raises_the_risk_nearby():
    area = Area.box(10.0, 0.0, 14.0, 4.0)
    rng = np.random.default_rng(6)
    uniform = (Background.uniform(area),)
    truth = Parameters(np.log([[0.5]]), np.array([[0.6]]), Exponential(10.0, 100.0), gaussian(10.0, 60.0))
    lat, lon = uniform[0].draw(300, rng)
    times = np.sort(rng.uniform(0, 580, 300))
    events = Catalogue.of(np.append(times, 599.0), np.append(lat, 13.0), np.append(lon, 1.0), area, end=600.0)
    quiet = fit(events, **PLAIN, level_days=np.inf, background=uniform)
    told = FittedSpaceTime(
        quiet.likelihood, truth, quiet.background, quiet.density, quiet.probability, 0.0, 0.02, quiet.free,
        quiet.covariance, (),
    )  # fmt: skip
    ahead = outlook(told, [13.0, 11.0], [1.0, 3.0], rng, radius_km=30.0, parameter_draws=0)
    near, far = ahead.table(["near", "far"]).itertuples()
    assert near.probability > 2 * far.probability
    assert near[4] > 2 * far[4]


def test_maps_add_up(found):
    cells = expected_cells(found, np.random.default_rng(7), paths=2000, parameter_draws=0)
    whole = outlook(found, [12.0], [2.0], np.random.default_rng(8), radius_km=2000.0, parameter_draws=0)
    assert cells.shape == (len(found.catalogue.area),)
    assert cells.sum() == pytest.approx(whole.expected.sum(), rel=0.03)


def test_fits_share_the_paths_and_seeds_repeat(found):
    first, second = (
        outlook([found, found], LAT, LON, np.random.default_rng(9), paths=301, parameter_draws=20) for _ in range(2)
    )
    np.testing.assert_array_equal(first.counts, second.counts)
    np.testing.assert_array_equal(first.probability, second.probability)
    assert first.counts.shape == (301, 4, 3)
    assert first.by_draw.shape == (20, 3)


def test_one_kind_is_counted(uniform, truth):
    from forecast.processes.spacetime.simulate import simulate

    two = Parameters(np.log([[0.6], [0.6]]), np.full((2, 2), 0.2), truth.in_time, truth.in_space)
    events = simulate(two, uniform * 2, 300.0, np.random.default_rng(10), names=["a", "b"])
    found = fit(events, **PLAIN, level_days=np.inf, background=uniform * 2)
    each = [
        outlook(found, LAT, LON, np.random.default_rng(11), radius_km=100.0, kind=kind, parameter_draws=0)
        for kind in ("a", "b", None)
    ]
    np.testing.assert_array_equal(each[0].counts + each[1].counts, each[2].counts)
    for ahead in each:
        counted = (ahead.counts.sum(axis=1) > 0).mean(axis=0)
        np.testing.assert_allclose(ahead.probability[-1], counted, atol=0.05)
    with pytest.raises(InputError, match="no kind 'c'"):
        outlook(found, LAT, LON, np.random.default_rng(1), kind="c")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radius_km": 5.0}, "a radius of 5 km"),
        ({"radius_km": np.nan}, "a radius of nan"),
        ({"weeks": 0}, "0 weeks"),
        ({"paths": 0}, "0 paths"),
        ({"parameter_draws": -1}, "-1 draws"),
    ],
)
def test_bad_requests_are_refused(found, options, message):
    with pytest.raises(InputError, match=message):
        outlook(found, LAT, LON, np.random.default_rng(1), **options)
    with pytest.raises(InputError, match="off the globe"):
        outlook(found, [99.0], [0.0], np.random.default_rng(1))
    with pytest.raises(InputError, match="no fit"):
        outlook([], LAT, LON, np.random.default_rng(1))
