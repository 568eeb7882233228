"""Fits: recovery, the maximum, declustering, kinds, uncertainty, remarks."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.background import Background
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.decays import Exponential, PowerLaw, gaussian, heavy_tailed
from forecast.processes.spacetime.fit import fit
from forecast.processes.spacetime.fitted import FittedSpaceTime, pooled_summary
from forecast.processes.spacetime.likelihood import Parameters
from forecast.processes.spacetime.simulate import simulate

PLAIN = {"in_time": Exponential(30.0, 365.0), "in_space": gaussian()}


@pytest.fixture(scope="module")
def found(simulated, uniform) -> FittedSpaceTime:
    return fit(simulated, level_days=np.inf, background=uniform, in_time=Exponential(30.0, 100.0), in_space=gaussian())


def test_parameters_are_found_again(found, truth):
    table = found.summary(level=0.99).set_index("parameter")
    for name, value in {
        "background a day": 1.0,
        "branching": 0.5,
        "mean in time": 10.0,
        "sigma in space": 15.0,
    }.items():
        row = table.loc[name]
        assert row["low"] < value < row["high"]
        assert row["high"] < 1.8 * row["low"]
    assert found.remarks == ()
    assert found.triggered_share == pytest.approx(0.5, abs=0.07)
    assert found.loglik >= found.likelihood.value(truth, found.density)


def test_a_fit_is_a_fixed_point_of_expectation_and_maximisation(found):
    at, likelihood = found.parameters, found.likelihood
    assert np.abs(likelihood.gradient(at, found.density)).max() < 0.05
    triggered = (1.0 - found.probability).sum()  # expected offspring
    due, _ = likelihood.exposure(at.in_time)
    assert at.branching[0, 0] == pytest.approx(triggered / due[0], rel=1e-3)
    assert np.exp(at.levels[0, 0]) == pytest.approx(found.probability.sum() / 600.0, rel=1e-3)


def test_parameters_are_drawn_around_the_estimate(found):
    rng = np.random.default_rng(1)
    drawn = np.array([found.draw(rng).shape for _ in range(500)])
    np.testing.assert_allclose(drawn.mean(axis=0), found.parameters.shape, atol=0.03)
    np.testing.assert_allclose(drawn.std(axis=0), np.sqrt(np.diag(found.covariance))[1:], rtol=0.12)


def test_declustering_finds_where_the_background_is():
    area, rng = Area.box(10.0, 0.0, 14.0, 4.0), np.random.default_rng(3)
    lat, lon = np.append(rng.normal(11.0, 0.3, 300), 13.0), np.append(rng.normal(1.0, 0.3, 300), 3.0)
    where = (Background.smoothed(area, area.locate(lat, lon), np.ones(301), neighbours=20.0),)
    truth = Parameters(np.log([[0.6]]), np.array([[0.4]]), Exponential(5.0, 60.0), gaussian(15.0, 100.0))
    events = simulate(truth, where, 1500.0, np.random.default_rng(4))
    found = fit(events, in_time=Exponential(30.0, 60.0), in_space=gaussian())
    assert found.parameters.branching[0, 0] == pytest.approx(0.4, abs=0.08)
    assert found.parameters.in_time.mean == pytest.approx(5.0, rel=0.3)
    in_cluster = np.exp(-(((area.centres[0] - 11) ** 2 + (area.centres[1] - 1) ** 2) / (2 * 0.3**2)) / 2) > 0.1
    truth_mass, mass = ((one.density * area.sizes)[in_cluster].sum() for one in (where[0], found.background[0]))
    assert mass == pytest.approx(truth_mass, abs=0.08)
    table = found.events()
    assert table["background"].between(0, 1).all()
    assert len(table) == len(events)


def test_heavy_tails_and_changing_levels_are_found_again(uniform):
    levels = np.log([[0.5, 0.5, 2.0, 2.0]])
    truth = Parameters(levels, np.array([[0.5]]), PowerLaw(2.0, 1.5, 100.0), heavy_tailed(10.0, 2.0, 100.0))
    events = simulate(truth, uniform, 1600.0, np.random.default_rng(5))
    found = fit(
        events,
        in_time=PowerLaw(5.0, 1.2, 100.0),
        in_space=heavy_tailed(20.0, 1.5, 100.0),
        level_days=200.0,
        background=uniform,
    )
    table = found.summary().set_index("parameter")
    for name, value in {"branching": 0.5, "exponent in time": 1.5, "exponent in space": 2.0}.items():
        assert table.loc[name, "low"] < value < table.loc[name, "high"]
    fitted = np.exp(found.parameters.levels[0])
    assert fitted[:3].max() < 0.5 * fitted[-3:].min()
    assert fitted[-1] == pytest.approx(2.0, rel=0.25)
    rng = np.random.default_rng(6)
    ahead = np.log([found.ahead(found.parameters, 28.0, rng)[0] for _ in range(400)])
    assert ahead.std() == pytest.approx(found.level_sd * np.sqrt(114.0 / 365.25), rel=0.15)


def test_kinds_excite_each_other(uniform):
    n = np.array([[0.3, 0.0], [0.4, 0.2]])
    truth = Parameters(np.log([[0.8], [0.4]]), n, Exponential(8.0, 60.0), gaussian(15.0, 80.0))
    events = simulate(truth, uniform * 2, 1200.0, np.random.default_rng(7), names=["state", "one-sided"])
    found = fit(events, **PLAIN, level_days=np.inf, background=uniform * 2)
    np.testing.assert_allclose(found.parameters.branching, n, atol=0.08)
    assert found.parameters.radius == pytest.approx(0.3, abs=0.1)
    assert set(found.summary()["target"]) == {"state", "one-sided", ""}


def test_earlier_events_are_parents_only(simulated, uniform):
    found = fit(
        simulated,
        since=300.0,
        level_days=np.inf,
        background=uniform,
        in_time=Exponential(30.0, 100.0),
        in_space=gaussian(),
    )
    assert len(found.probability) == np.count_nonzero(simulated.times >= 300.0)
    assert found.parameters.branching[0, 0] == pytest.approx(0.5, abs=0.12)
    assert np.exp(found.parameters.levels[0, 0]) == pytest.approx(1.0, abs=0.25)


def test_an_explosive_fit_is_remarked_on(uniform):
    truth = Parameters(np.log([[0.02]]), np.array([[1.3]]), Exponential(10.0, 60.0), gaussian(15.0, 80.0))
    events = simulate(truth, uniform, 200.0, np.random.default_rng(12))
    assert len(events) > 100
    found = fit(events, **PLAIN, level_days=np.inf, background=uniform)
    assert found.parameters.radius > 1
    assert any("explosive" in remark for remark in found.remarks)


def test_without_clusters_little_is_triggered(uniform):
    truth = Parameters(np.log([[1.0]]), np.array([[1e-9]]), Exponential(10.0, 60.0), gaussian(15.0, 80.0))
    events = simulate(truth, uniform, 500.0, np.random.default_rng(8))
    found = fit(events, **PLAIN, level_days=np.inf, background=uniform)
    poisson = np.log(found.density * len(events) / 500.0).sum() - len(events)
    assert poisson - 0.1 < found.loglik < poisson + 6.0
    assert found.summary().set_index("parameter").loc["branching", "low"] < 0.1


def test_towns_and_days_are_jittered_and_pooled(simulated, uniform):
    rng = np.random.default_rng(9)
    lat, lon = simulated.latitude.round(1).clip(10.05, 13.95), simulated.longitude.round(1).clip(0.05, 3.95)
    days = Catalogue.of(
        np.floor(simulated.times), lat, lon,
        simulated.area, end=simulated.end,
    )  # fmt: skip
    fits = [fit(days.jittered(rng), **PLAIN, level_days=np.inf, background=uniform) for _ in range(2)]
    table = pooled_summary(fits).set_index("parameter")
    assert table.loc["branching", "estimate"] == pytest.approx(0.5, abs=0.08)
    assert (table["between"].dropna() < 1).all()
    wide = np.log(table["high"] / table["low"]).loc["branching"]
    own = fits[0].summary().set_index("parameter").loc["branching"]
    assert wide > 0.95 * np.log(own["high"] / own["low"])


def test_an_earlier_fit_is_where_to_start(simulated):
    before = fit(simulated.until(560.0), **PLAIN, level_days=np.inf)
    cold = fit(simulated, **PLAIN, level_days=np.inf, neighbours=before.background[0].neighbours)
    warm = fit(simulated, level_days=np.inf, start=before)
    np.testing.assert_allclose(warm.parameters.shape, cold.parameters.shape, atol=0.05)
    other = Area.box(10.0, 0.0, 15.0, 4.0)
    events = Catalogue.of(simulated.times, simulated.latitude, simulated.longitude, other, end=600.0)
    with pytest.raises(InputError, match="another area"):
        fit(events, start=before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"since": 600.0}, "since 600"),
        ({"since": 599.9}, "events from 599.9 on"),
        ({"level_sd": 0.0}, "level_sd"),
        ({"level_days": -1.0}, "steps"),
        ({"background": ()}, "backgrounds"),
    ],
)
def test_bad_options_are_refused(simulated, options, message):
    with pytest.raises(InputError, match=message):
        fit(simulated, **options)


def test_too_few_events_are_refused():
    area = Area.box(10.0, 0.0, 14.0, 4.0)
    with pytest.raises(InputError, match="1 events"):
        fit(Catalogue.of([1.0], [11.0], [1.0], area, end=10.0))
    kinds = np.append(np.zeros(40, dtype=int), 1)
    with pytest.raises(InputError, match="of kind b"):
        fit(Catalogue.of(np.arange(41.0), [11.0] * 41, [1.0] * 41, area, end=50.0, kinds=kinds, names=["a", "b"]))


@pytest.mark.slow
def test_intervals_cover_the_truth(truth, uniform):
    """Maximum likelihood given the background; the table of docs/space-time.md."""
    values, covered, estimates = np.array([1.0, 0.5, 10.0, 15.0]), [], []
    for seed in range(150):
        events = simulate(truth, uniform, 600.0, np.random.default_rng(1000 + seed))
        found = fit(
            events,
            level_days=np.inf,
            background=uniform,
            in_time=Exponential(30.0, 100.0),
            in_space=gaussian(),
        )
        table = found.summary().iloc[:4]
        covered.append((table["low"] < values) & (values < table["high"]))
        estimates.append(table["estimate"])
    print(np.mean(covered, axis=0), np.mean(estimates, axis=0))
    assert (np.mean(covered, axis=0) >= 0.90).all()
    np.testing.assert_allclose(np.mean(estimates, axis=0), values, rtol=0.03)


@pytest.mark.slow
def test_declustering_finds_the_truth(truth, uniform):
    """The density of the background estimated as well, which no interval knows of."""
    values, covered, estimates = np.array([1.0, 0.5, 10.0, 15.0]), [], []
    for seed in range(100):
        events = simulate(truth, uniform, 600.0, np.random.default_rng(5000 + seed))
        table = fit(events, level_days=np.inf, in_time=Exponential(30.0, 100.0), in_space=gaussian()).summary().iloc[:4]
        covered.append((table["low"] < values) & (values < table["high"]))
        estimates.append(table["estimate"])
    print(np.mean(covered, axis=0), np.mean(estimates, axis=0))
    np.testing.assert_allclose(np.mean(estimates, axis=0), values, rtol=0.08)
