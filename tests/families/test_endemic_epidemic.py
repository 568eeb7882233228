"""Endemic-epidemic models: derivatives, closed forms, recovery of known truth, other panels, degenerate ones."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.families.endemic_epidemic.arrow import Arrow
from forecast.families.endemic_epidemic.components import shares
from forecast.families.endemic_epidemic.design import Component, Design
from forecast.families.endemic_epidemic.family import EndemicEpidemic
from forecast.families.endemic_epidemic.history import Data
from forecast.families.endemic_epidemic.kernels import gamma_differences, spread
from forecast.families.endemic_epidemic.lags import Lags
from forecast.families.endemic_epidemic.likelihood import Likelihood
from forecast.families.endemic_epidemic.prior import Point
from forecast.families.endemic_epidemic.weights import Pairs, Weights
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.simulation.endemic_epidemic import EndemicEpidemicSettings, simulate_endemic_epidemic

RNG = np.random.default_rng
TRUTH = {"own": 0.4, "neighbour": 0.25, "amplitude": 0.4, "peak_day": 100.0, "size": 1.5, "endemic": 0.6, "spread": 0.5}


def row(units: int) -> Neighbours:
    first = np.arange(units - 1)
    return Neighbours.from_pairs(first, first + 1, np.ones(units - 1), np.ones(units - 1), units)


def panel_of(counts, *, neighbours=None, first="2015-01-03", **keys) -> Panel:
    counts = np.asarray(counts)
    weeks = pd.date_range(first, periods=len(counts), freq="7D", unit="s")
    units = Units.of([f"unit {at}" for at in range(counts.shape[1])])
    return Panel.of(counts, weeks, units, neighbours=neighbours or row(counts.shape[1]), **keys)


def torus(side: int) -> Neighbours:
    """Return squares that all have four neighbours: so that it is one whether givers share out or receivers average."""
    at = np.arange(side**2)
    east = at - at % side + (at + 1) % side
    south = (at + side) % side**2
    one = np.ones(2 * len(at))
    return Neighbours.from_pairs(np.r_[at, at], np.r_[east, south], one, one, len(at))


def simulated(seed: int, weeks: int = 300, regions: int = 16, **settings: float) -> Panel:
    units = Units.of([f"unit {at}" for at in range(regions)])
    span = pd.date_range("2010-01-02", periods=weeks, freq="7D", unit="s")
    spec = EndemicEpidemicSettings(**{**TRUTH, **settings})
    side = round(regions**0.5)
    neighbours = torus(side) if side**2 == regions and side > 2 else row(regions)
    return simulate_endemic_epidemic(spec, span, units, neighbours, RNG(seed))[0]


PEAK = 2 * np.pi * (TRUTH["peak_day"] - 1) / 365.25
"""The simulator counts days of the year from 1, the season of the family from the first of January 2000."""
SOUGHT = {
    "own.intercept": np.log(TRUTH["own"]),
    "neighbour.intercept": np.log(TRUTH["neighbour"]),
    "endemic.sin1": TRUTH["amplitude"] * np.sin(PEAK),
    "endemic.cos1": TRUTH["amplitude"] * np.cos(PEAK),
    "size": TRUTH["size"],
}


def standardised(seed: int, intercepts: str = "fixed") -> pd.Series:
    """Return the errors of the estimates in standard errors."""
    model = EndemicEpidemic(lags={"order": 1}, endemic={"harmonics": 1, "intercepts": intercepts})
    table = model.fit(simulated(seed), RNG(0)).summary().loc[list(SOUGHT)]
    return (table["estimate"] - pd.Series(SOUGHT)) / table["std_error"]


def full(slope, units: int, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Return score and information as one vector and one matrix."""
    shared = len(slope.score)
    matrix = np.zeros((shared + units * block,) * 2)
    matrix[:shared, :shared] = slope.information.shared
    for unit in range(units):
        mine = slice(shared + unit * block, shared + (unit + 1) * block)
        matrix[mine, mine] = slope.information.blocks[unit]
        matrix[mine, :shared] = slope.information.border[unit]
        matrix[:shared, mine] = slope.information.border[unit].T
    return np.r_[slope.score, slope.own_score.ravel()], matrix


WEIGHTS = {
    "adjacency": Weights(Pairs.by_order(row(7), 1)),
    "power": Weights(Pairs.by_order(row(7), 4), 1, "power"),
    "normalised power": Weights(Pairs.by_order(row(7), 4), 1, "power", True),
    "free and power": Weights(Pairs.by_order(row(7), 5), 3, "power", True),
    "free and constant": Weights(Pairs.by_order(row(7), 5), 3, "constant"),
}


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize(("shape", "sizes"), [("geometric", "unit"), ("poisson", "common"), ("triangular", None)])
def test_score_and_information_are_the_derivatives(weights, shape, sizes):
    rng, weeks, units = RNG(5), 30, 7
    counts = rng.poisson(rng.gamma(1, 1, (weeks, units)))
    counts[:, 0], counts[5, 3] = 0, 300
    wave = np.column_stack([np.ones(weeks), np.arange(weeks) / 50, np.sin(np.arange(weeks) / 8)])
    cell = rng.normal(size=(weeks, units, 1))
    names = ("intercept", "trend", "sin")
    design = Design.of(
        weeks,
        units,
        own=Component(wave, names, intercepts="random"),
        neighbour=Component(wave[:, :1], ("intercept", "x"), cell),
        endemic=Component(wave, (*names, "x"), cell, rng.gamma(2, 1, units), "fixed"),
        lags=Lags(4, shape),
        weights=WEIGHTS[weights],
        sizes=sizes,
    )
    likelihood = Likelihood(Data.of(counts, 4, week_weight=rng.random(weeks)), design)
    shared, block = len(design.names), len(design.unit_base)
    at = rng.normal(scale=0.3, size=shared + units * block)

    def slope(values):
        return likelihood.at(Point(values[:shared], values[shared:].reshape(units, block)))

    score, information = full(slope(at), units, block)
    for place, step in itertools.product(range(len(at)), [1e-5]):
        up, down = at.copy(), at.copy()
        up[place] += step
        down[place] -= step
        high, low = slope(up), slope(down)
        assert (high.value - low.value) / 2 / step == pytest.approx(score[place], rel=1e-6, abs=1e-5)
        change = -(full(high, units, block)[0] - full(low, units, block)[0]) / 2 / step
        np.testing.assert_allclose(change, information[place], rtol=1e-6, atol=2e-5)


def test_expected_information_is_the_mean_of_the_observed_one():
    rng, weeks = RNG(1), 4000
    design = Design.of(weeks, 1, endemic=Component(np.ones((weeks, 1)), ("intercept",)))
    point = Point(np.log([2.0, 1.5]), np.zeros((1, 0)))
    counts = rng.poisson(rng.gamma(1.5, 2 / 1.5, (weeks, 1)))
    likelihood = Likelihood(Data.of(counts, 0), design)
    found = {expected: likelihood.at(point, expected=expected).information.shared for expected in (True, False)}
    assert found[True][0, 0] == pytest.approx(weeks * 2.0 / (1 + 2.0 / 1.5))
    assert found[True][0, 1] == 0
    np.testing.assert_allclose(np.diag(found[True]), np.diag(found[False]), rtol=0.08)


@pytest.mark.parametrize(("count", "size"), [(0, 2.0), (1, 1e-4), (40, 0.3), (41, 0.3), (2000, 5.0), (50, 1e6)])
def test_differences_of_gamma_functions(count, size):
    from scipy.special import digamma, gammaln, polygamma

    expected = [f(size + count) - f(size) for f in (gammaln, digamma, lambda x: polygamma(1, x))]
    np.testing.assert_allclose(gamma_differences(float(count), size), expected, rtol=1e-8, atol=1e-12)


def test_an_arrow_solves_as_the_whole_matrix_does():
    rng = RNG(2)
    units, block, shared = 5, 2, 3
    root = rng.normal(size=(shared + units * block,) * 2)
    whole = root @ root.T + 5 * np.eye(len(root))
    for a, b in itertools.permutations(range(units), 2):
        rows, columns = (slice(shared + at * block, shared + (at + 1) * block) for at in (a, b))
        whole[rows, columns] = 0
    parts = [slice(shared + at * block, shared + (at + 1) * block) for at in range(units)]
    arrow = Arrow(
        whole[:shared, :shared],
        np.stack([whole[part, :shared] for part in parts]),
        np.stack([whole[part, part] for part in parts]),
    )
    right = rng.normal(size=len(whole))
    first, rest = arrow.solve(right[:shared], right[shared:].reshape(units, block))
    np.testing.assert_allclose(np.r_[first, rest.ravel()], np.linalg.solve(whole, right))
    inverse = np.linalg.inv(whole)
    np.testing.assert_allclose(arrow.covariance(), inverse[:shared, :shared])
    np.testing.assert_allclose(arrow.own_covariance(), np.stack([inverse[part, part] for part in parts]))
    assert arrow.log_determinant() == pytest.approx(np.linalg.slogdet(whole)[1])
    np.testing.assert_allclose(arrow.sandwich(arrow), inverse[:shared, :shared])


def test_weights_by_distance_reach_as_far_as_they_are_told():
    units = Units.of(["A", "B", "C"], latitude=[0.0, 0.0, 0.0], longitude=[0.0, 1.0, 5.0])
    pairs = Pairs.by_distance(units, 500)
    assert pairs.start.tolist() == [0, 1, 3, 4]
    assert pairs.receiver.tolist() == [1, 0, 2, 1]
    np.testing.assert_allclose(pairs.apart, [111.19, 111.19, 444.78, 444.78], atol=0.01)
    weights = Weights(pairs, 1, "power", normalised=True).columns(np.zeros(1))[:, 0]
    np.testing.assert_allclose(weights, [1, 0.8, 0.2, 1])
    with pytest.raises(InputError, match="coordinates"):
        Pairs.by_distance(Units.of(["A", "B"]), 500)


def test_free_weights_and_their_tails():
    pairs = Pairs.by_order(row(6), 5)
    of_first = slice(0, 5)  # orders 1 to 5 from the end of the row
    parameters = np.log([0.5, 0.3])
    constant = Weights(pairs, 3, "constant").columns(parameters)[of_first, 0]
    np.testing.assert_allclose(constant, [1, 0.5, 0.3, 0.3, 0.3])
    power = Weights(pairs, 3, "power").columns(np.r_[parameters, np.log(2.0)])[of_first, 0]
    np.testing.assert_allclose(power, [1, 0.5, 0.3, 0.3 * (3 / 4) ** 2, 0.3 * (3 / 5) ** 2])


def test_what_reaches_a_unit_is_the_product_with_the_matrix_of_weights():
    rng = RNG(3)
    counts = rng.poisson(0.3, (20, 7)).astype(float)
    weights = WEIGHTS["normalised power"]
    stack = weights.columns(np.zeros(1))
    matrix = np.zeros((7, 7))
    matrix[weights.pairs.giver, weights.pairs.receiver] = stack[:, 0]
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    reached = spread(np.ascontiguousarray(counts.T), weights.pairs.start, weights.pairs.receiver, stack)
    np.testing.assert_allclose(reached[:, :, 0].T, counts @ matrix)


def test_one_endemic_mean_has_the_closed_form():
    panel = panel_of(RNG(1).poisson([0.5, 2.0, 9.0], (80, 3)), exposure=np.array([1.0, 2.0, 3.0]))
    model = EndemicEpidemic(
        own=False,
        neighbour=False,
        endemic={"exposure": True},
        distribution="poisson",
        weak_priors=False,
        lags={"order": 1},
    )
    fitted = model.fit(panel, RNG(1))
    events, cells = panel.counts[1:].sum(), 79 * 3
    table = fitted.summary().loc["endemic.intercept"]
    assert np.exp(table["estimate"]) == pytest.approx(events / cells)
    assert table["std_error"] == pytest.approx(1 / np.sqrt(events))
    assert fitted.estimates.aic == pytest.approx(2 - 2 * fitted.estimates.log_likelihood)
    mean = fitted.predict(2, 10, RNG(1)).mean()
    np.testing.assert_allclose(mean, np.tile(events / cells * np.array([0.5, 1.0, 1.5]), (2, 1)), rtol=1e-6)


def test_the_first_week_ahead_has_the_mean_of_the_formula():
    panel = simulated(1, weeks=120, regions=9)
    fitted = EndemicEpidemic(lags={"order": 3}, weights={"by": "order", "largest_order": 3}).fit(panel, RNG(1))
    longer = replace(
        panel,
        counts=np.vstack([panel.counts, np.zeros((1, 9), dtype=int)]),
        observed=np.vstack([panel.observed, np.ones((1, 9), dtype=bool)]),
        weeks=pd.date_range(panel.weeks[0], periods=121, freq="7D", unit="s"),
    )
    expected = fitted.update(longer).components()["mean"].to_numpy().reshape(121, 9)[-1]
    np.testing.assert_allclose(fitted.predict(1, 5, RNG(1)).mean()[0], expected, rtol=1e-6)


def test_the_second_week_ahead_has_the_mean_of_the_formula():
    """Expectations go through the linear mean, so that the second week's is known."""
    panel = simulated(2, weeks=150, regions=9)
    fitted = EndemicEpidemic(lags={"order": 2}, largest_multiple=100).fit(panel, RNG(1))
    forecast = fitted.predict(2, 40_000, RNG(1))
    design = fitted.family.design(panel, fitted.target_weeks(2), fitted.calendar, known=False)
    parts = design.parts(fitted.estimates.point.shared)
    matrix = np.zeros((9, 9))
    matrix[design.weights.pairs.giver, design.weights.pairs.receiver] = design.weights.columns(np.empty(0))[:, 0]
    past = parts.lag[0, 0] * forecast.mean()[0] + parts.lag[0, 1] * panel.counts[-1]
    endemic = parts.week[2, 1] * np.exp(fitted.estimates.point.own[:, 0])
    expected = parts.week[0, 1] * past + parts.week[1, 1] * (past @ matrix) + endemic
    np.testing.assert_allclose(forecast.mean()[1], expected, rtol=0.02)


def test_shares_sum_to_one_and_say_where_the_risk_comes_from():
    counts = np.zeros((60, 3), dtype=int)
    counts[:, 0] = RNG(1).poisson(3, 60)
    table = EndemicEpidemic(lags={"order": 2}).fit(panel_of(counts), RNG(1)).components()
    np.testing.assert_allclose(table[["own", "neighbour", "endemic"]].sum(axis=1), 1)
    last = table[table["week"] == table["week"].max()].set_index("unit")
    assert last.loc["unit 1", "own"] == 0
    assert last.loc["unit 1", "neighbour"] > 0
    assert last.loc["unit 2", "neighbour"] == 0
    assert (shares(np.zeros((3, 2, 2))) == 0).all()


def test_a_warm_start_ends_where_a_cold_one_does_and_sooner():
    panel = simulated(3)
    model = EndemicEpidemic(lags={"order": 4}, own={"harmonics": 1})
    earlier = model.fit(panel.weeks_between(0, 287), RNG(1))
    cold, warm = model.fit(panel, RNG(1)), model.refit(panel, RNG(1), earlier)
    error = cold.summary()["std_error"].fillna(1.0).clip(lower=1e-9)
    assert ((cold.summary()["estimate"] - warm.summary()["estimate"]).abs() < 0.02 * error).all()
    assert warm.estimates.log_likelihood == pytest.approx(cold.estimates.log_likelihood, abs=0.01)
    plain = EndemicEpidemic(endemic={"harmonics": 1}, lags={"order": 1})
    first = plain.fit(panel.weeks_between(0, 287), RNG(1))
    assert plain.refit(panel, RNG(1), first).estimates.iterations < plain.fit(panel, RNG(1)).estimates.iterations


def test_old_weeks_fade():
    counts = np.r_[RNG(1).poisson(6, (150, 4)), RNG(2).poisson(1, (150, 4))]
    bare = {"own": False, "neighbour": False, "endemic": {}, "lags": {"order": 1}}
    panel = panel_of(counts)
    means = [
        EndemicEpidemic(half_life_weeks=half_life, **bare).fit(panel, RNG(1)).predict(1, 1, RNG(1)).mean().mean()
        for half_life in (None, 20)
    ]
    assert means[0] == pytest.approx(3.5, rel=0.05)
    assert means[1] == pytest.approx(1.0, rel=0.15)


def test_half_life_widens_the_standard_errors_as_fewer_weeks_would():
    panel = panel_of(RNG(1).poisson(2, (4000, 1)), neighbours=Neighbours.none(1), first="1950-01-07")
    bare = {"own": False, "neighbour": False, "endemic": {}, "distribution": "poisson", "lags": {"order": 1}}
    error = EndemicEpidemic(half_life_weeks=52, **bare).fit(panel, RNG(1)).summary()["std_error"].iloc[0]
    decay = 0.5 ** (1 / 52)
    effective = (1 / (1 - decay)) ** 2 / (1 / (1 - decay**2))  # (sum of weights)^2 / sum of squared weights
    assert error == pytest.approx(1 / np.sqrt(2 * effective), rel=0.05)


def test_covariates_of_last_week_are_found_and_carried_forward():
    rng = RNG(4)
    drive = rng.normal(size=(400, 4))
    counts = np.zeros((400, 4), dtype=int)
    counts[1:] = rng.poisson(np.exp(0.2 + 0.7 * drive[:-1]))
    panel = panel_of(counts, covariates={"drive": drive})
    model = EndemicEpidemic(endemic={"covariates": ("drive",)}, lags={"order": 1})
    fitted = model.fit(panel, RNG(1))
    assert fitted.summary().loc["endemic.drive", "estimate"] == pytest.approx(0.7, abs=0.06)
    mean = fitted.predict(3, 50, RNG(1)).mean()
    np.testing.assert_allclose(mean[0], np.exp(0.2 + 0.7 * drive[-1]), rtol=0.25)
    with pytest.raises(InputError, match="unknown covariate 'drift'"):
        EndemicEpidemic(endemic={"covariates": ("drift",)}).fit(panel, RNG(1))


def test_trend_stays_where_the_fitted_weeks_end():
    counts = RNG(1).poisson(np.exp(np.linspace(-1, 1.5, 300))[:, None], (300, 4))
    bare = {"own": False, "neighbour": False, "lags": {"order": 1}}
    fitted = EndemicEpidemic(endemic={"trend": True}, **bare).fit(panel_of(counts), RNG(1))
    slope = 2.5 / (300 * 7 / 365.25)
    assert fitted.summary().loc["endemic.trend", "estimate"] == pytest.approx(slope, rel=0.1)
    mean = fitted.predict(20, 5, RNG(1)).mean()
    np.testing.assert_allclose(mean, mean[:1].repeat(20, axis=0))


def test_sizes_of_units_differ_where_the_units_do():
    rng = RNG(6)
    sizes = np.array([0.5, 0.5, 20.0, 20.0, 0.5])
    counts = rng.poisson(3 * rng.gamma(sizes, 1 / sizes, (400, 5)))
    counts[:, 4] = 0
    bare = {"own": False, "neighbour": False, "endemic": {"intercepts": "fixed"}, "lags": {"order": 1}, "sizes": "unit"}
    found = EndemicEpidemic(**bare).fit(panel_of(counts), RNG(1)).summary()["estimate"]
    assert [found[f"size[unit {at}]"] < 2 for at in range(4)] == [True, True, False, False]
    pooled = EndemicEpidemic(weak_priors=False, **bare).fit(panel_of(counts), RNG(1))
    assert pooled.remarks == (
        "1 of 5 units have too few events for an own intercept of the endemic component",
        "1 of 5 units have too few events for an own size",
    )
    sizes = pooled.summary()["estimate"]
    assert sizes["size[unit 4]"] == sizes["size"]
    assert [sizes[f"size[unit {at}]"] < 2 for at in range(4)] == [True, True, False, False]


def test_unknown_units_get_the_pooled_level():
    panel = simulated(5, weeks=200, regions=9)
    fitted = EndemicEpidemic(lags={"order": 1}).fit(panel, RNG(1))
    units = replace(panel.units, names=("new", *panel.units.names[1:]))
    mean = fitted.update(replace(panel, units=units)).predict(1, 1, RNG(1)).mean()[0]
    usual = fitted.predict(1, 1, RNG(1)).mean()[0]
    np.testing.assert_allclose(mean[1:], usual[1:])
    effect = fitted.estimates.point.own[0, 0]
    endemic = usual[0] - mean[0]
    assert np.sign(endemic) == np.sign(effect)


def test_a_panel_without_neighbours_says_so():
    panel = panel_of(RNG(1).poisson(1.0, (60, 2)), neighbours=Neighbours.none(2))
    fitted = EndemicEpidemic().fit(panel, RNG(1))
    assert fitted.remarks == ("no unit has neighbours: the neighbour component is left out",)
    assert not any(name.startswith("neighbour") for name in fitted.summary().index)
    assert fitted.predict(2, 50, RNG(1)).mean().max() < 5


def test_maximum_likelihood_of_a_silent_panel_falls_back_visibly():
    panel = panel_of(np.zeros((60, 3), dtype=int))
    fitted = EndemicEpidemic(weak_priors=False, endemic={"intercepts": "fixed"}).fit(panel, RNG(1))
    assert any("3 of 3 units" in remark for remark in fitted.remarks)
    assert fitted.predict(4, 200, RNG(1)).mean().max() < 0.2


def test_settings_are_checked():
    for wrong in ({"lags": {"order": 0}}, {"own": {"harmonics": 4}}, {"weights": {"by": "birds"}}, {"own": True}):
        with pytest.raises(ValueError, match="validation error"):
            EndemicEpidemic(**wrong)
    with pytest.raises(InputError, match="no component"):
        EndemicEpidemic(own=False, neighbour=False, endemic=False).fit(simulated(1, 30, 4), RNG(1))


@pytest.mark.parametrize("left_out", ["own", "neighbour", "endemic"])
def test_each_component_can_be_left_out(left_out):
    fitted = EndemicEpidemic(**{left_out: False}, lags={"order": 2}).fit(simulated(1, 120, 9), RNG(1))
    assert not any(name.startswith(left_out) for name in fitted.summary().index)
    assert np.isfinite(fitted.predict(4, 100, RNG(1)).mean()).all()


def test_the_truth_comes_back():
    errors = standardised(1)
    assert (errors.abs() < 4).all()


@pytest.mark.slow
@pytest.mark.parametrize(("intercepts", "bias", "least"), [("fixed", 0.45, 0.92), ("random", 0.9, 0.86)])
def test_recovery_over_many_panels(intercepts, bias, least):
    """With random intercepts, which are shrunk, the estimates lean towards weak neighbours; hhh4 has the same ones."""
    errors = pd.DataFrame([standardised(seed, intercepts) for seed in range(200)])
    covered = (errors.abs() < 1.96).mean()
    print("\n", intercepts, "\n", pd.DataFrame({"mean": errors.mean(), "sd": errors.std(), "coverage": covered}))
    assert (errors.mean().abs() < bias).all()
    assert covered.between(least, 0.98).all()


@pytest.mark.slow
def test_a_backtest_of_three_years_is_quick():
    panel = simulated(1, weeks=520, regions=30, endemic=0.1)
    model = EndemicEpidemic(half_life_weeks=104)
    model.fit(panel.weeks_between(0, 100), RNG(1)).predict(8, 10, RNG(1))  # compile
    begun = time.process_time()
    for origin in range(364, 520):
        known = panel.weeks_between(0, origin)
        fitted = model.fit(known, RNG(1)) if (origin - 364) % 13 == 0 else fitted.update(known)  # noqa: F821
        fitted.predict(8, 1000, RNG(origin))
    assert time.process_time() - begun < 60
