"""Hidden Markov counts: kernels against enumeration, recovery of known regimes, panels that hold too little."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from forecast.families.hidden_markov import estimate as estimation
from forecast.families.hidden_markov.coordinates import Coordinates
from forecast.families.hidden_markov.family import FittedHiddenMarkov, HiddenMarkov
from forecast.families.hidden_markov.filtering import most_probable_path, size_of, smooth
from forecast.families.hidden_markov.levels import unit_levels
from forecast.families.hidden_markov.likelihood import Cases
from forecast.families.hidden_markov.regimes import Regimes, waves
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.predictive import negbin

TWO = Regimes.of_matrix(np.array([0.4, 2.8]), np.array([4.0, 2.0]), 0.0, np.array([[0.95, 0.05], [0.15, 0.85]]))
THREE = Regimes.of_matrix(
    np.array([0.15, 1.0, 5.0]),
    np.array([3.0, 3.0, 2.0]),
    0.0,
    np.array([[0.94, 0.05, 0.01], [0.06, 0.90, 0.04], [0.02, 0.13, 0.85]]),
)
SEASONAL = Regimes(TWO.ratio, TWO.size, 0.0, TWO.logits, np.array([[0.0, 0.0], [0.8, -0.5]]))
PLAIN = {"season": False, "excess": False, "half_life_weeks": None, "level_half_lives": ()}
"""The textbook's model: one level for all weeks, and all weeks count alike."""


def simulate(
    regimes: Regimes, rng: np.random.Generator, *, weeks: int = 400, units: int = 20, level: float = 2.0
) -> tuple[Panel, np.ndarray]:
    """Return counts of units whose exposures differ, so that their levels are known, and the regimes they were in."""
    first = pd.date_range("2010-01-02", periods=weeks, freq="7D", unit="s", name="week")
    exposure = np.exp(0.7 * rng.standard_normal(units))
    exposure /= exposure.mean()
    shares = np.concatenate(
        [np.tile(regimes.stationary(), (1, len(regimes), 1)), regimes.transitions(waves(first))[1:]]
    )
    state = np.zeros((weeks, units), np.int64)
    for t in range(weeks):
        row = np.cumsum(shares[t][state[t - 1]], axis=1)
        state[t] = (rng.random((units, 1)) > row[:, :-1]).sum(axis=1)
    counts = negbin.sample(level * exposure * regimes.ratio[state], regimes.size[state], rng)
    names = [f"unit {at}" for at in range(units)]
    return Panel.of(counts, first, Units.of(names), exposure=exposure, simulated=True), state


def small_cases(*, weeks: int = 6, units: int = 2, seed: int = 3) -> Cases:
    rng = np.random.default_rng(seed)
    observed = rng.random((weeks, units)) < 0.8
    counts = np.where(observed, rng.poisson(2.0, (weeks, units)), 0)
    year = waves(pd.date_range("2020-01-04", periods=weeks, freq="35D"))
    return Cases(counts, observed, 0.5 + rng.random((weeks, units)), year, 0.5 ** np.arange(weeks)[::-1])


def enumerated(cases: Cases, regimes: Regimes, unit: int) -> dict[tuple[int, ...], float]:
    """Return the joint probability of the counts and of every sequence of regimes of a unit."""
    transition = regimes.transitions(cases.wave)
    out = {}
    for path in product(range(len(regimes)), repeat=len(cases.counts)):
        p = regimes.stationary()[path[0]]
        for t, state in enumerate(path):
            p *= transition[t, path[t - 1], state] if t else 1.0
            mean = cases.base[t, unit] * regimes.ratio[state]
            size = size_of(mean, regimes.size[state], regimes.excess)
            p *= np.exp(negbin.logpmf(cases.counts[t, unit], mean, size)) if cases.observed[t, unit] else 1.0
        out[path] = float(p)
    return out


WITH_ALL = Regimes(THREE.ratio, THREE.size, 0.3, THREE.logits, np.array([[0.0, 0.0], [0.4, 0.1], [-0.3, 0.6]]))


def test_likelihood_smoothing_and_the_best_path_are_those_of_enumeration():
    cases = small_cases()
    filtered, score = cases.filtered(WITH_ALL)
    smoothed = smooth(filtered, WITH_ALL.transitions(cases.wave), WITH_ALL.stationary())
    path = most_probable_path(*cases.arguments(WITH_ALL))
    for unit in range(2):
        joint = enumerated(cases, WITH_ALL, unit)
        total = sum(joint.values())
        assert score[:, unit].sum() == pytest.approx(np.log(total), abs=1e-12)
        for week in range(6):
            share = [sum(p for way, p in joint.items() if way[week] == state) / total for state in range(3)]
            assert smoothed[week, unit] == pytest.approx(share, abs=1e-12)
        assert tuple(path[:, unit]) == max(joint, key=joint.__getitem__)
    assert filtered[-1] == pytest.approx(smoothed[-1])


@pytest.mark.parametrize(
    "free",
    [
        Coordinates(3, False, True, True, 0.9, 20),
        Coordinates(3, False, False, False, 0.9, 20),
        Coordinates(2, True, False, True, 0.9, 20),
        Coordinates(1, False, True, False, 0.9, 20),
    ],
    ids=["all", "plain", "poisson", "one regime"],
)
def test_the_gradient_is_exact(free):
    cases = small_cases(weeks=30, units=4)
    rng = np.random.default_rng(1)
    vector = free.vector(free.usual())
    vector = vector + 0.3 * rng.standard_normal(len(vector))
    assert len(free.names()) == len(vector)
    steps = 1e-5 * np.eye(len(vector))
    numeric = [(cases.loss(vector + step, free)[0] - cases.loss(vector - step, free)[0]) / 2e-5 for step in steps]
    assert cases.loss(vector, free)[1] == pytest.approx(numeric, rel=1e-6, abs=1e-7)


def test_vector_and_regimes_are_two_forms_of_one_thing():
    free = Coordinates(3, False, True, True, 0.9, 20)
    again = free.regimes_of(free.vector(WITH_ALL))
    for name in ("ratio", "size", "excess", "logits", "wave"):
        assert getattr(again, name) == pytest.approx(getattr(WITH_ALL, name))


def test_ordering_changes_names_and_nothing_else():
    order = [2, 0, 1]
    turned = Regimes(
        WITH_ALL.ratio[order], WITH_ALL.size[order], 0.3, WITH_ALL.logits[np.ix_(order, order)], WITH_ALL.wave[order]
    )
    cases = small_cases()
    assert turned.ordered().ratio == pytest.approx(WITH_ALL.ratio)
    assert cases.log_likelihood(turned.ordered()) == pytest.approx(cases.log_likelihood(turned))
    assert turned.ordered().wave == pytest.approx(WITH_ALL.wave)


def test_marginals_push_the_filtered_regimes_through_the_chain():
    panel, _ = simulate(THREE, np.random.default_rng(5), weeks=150, units=4)
    fitted = HiddenMarkov(regimes=3, **PLAIN).fit(panel, np.random.default_rng(1))
    forecast = fitted.predict(6, 10, np.random.default_rng(2))
    regimes = fitted.estimates.regimes
    share = fitted.regime_probabilities().to_numpy() @ np.linalg.matrix_power(regimes.matrix(), 6)
    mean = fitted.family.cases(panel, fitted.season)[1][:, None] * panel.exposure[:, None] * regimes.ratio
    expected = (share * np.exp(negbin.logpmf(np.array(2), mean, regimes.size))).sum(axis=1)
    assert forecast.pmf[5, :, 2] == pytest.approx(expected)


def test_the_level_before_a_week_knows_nothing_of_it():
    panel, _ = simulate(TWO, np.random.default_rng(1), weeks=60, units=3)
    later = panel.counts.copy()
    later[40:] = later[40:][::-1]  # the same counts in all, so that the start is the same
    changed = Panel.of(later, panel.weeks, panel.units, exposure=panel.exposure)
    factors = np.tile(panel.exposure, (60, 1))
    one, other = (unit_levels(item, factors, (13, 52), 0.3) for item in (panel, changed))
    assert np.array_equal(one[:41], other[:41])
    assert not np.array_equal(one[41:], other[41:])


def test_a_unit_is_found_in_the_regime_in_which_it_is():
    panel, state = simulate(TWO, np.random.default_rng(2), level=5.0)
    fitted = HiddenMarkov(regimes=2, **PLAIN).fit(panel, np.random.default_rng(1))
    history = fitted.regime_history()
    assert history.sum(axis=1).to_numpy() == pytest.approx(np.ones(len(history)))
    assert (history.to_numpy().argmax(axis=1).reshape(state.shape) == state).mean() > 0.95
    path = fitted.regime_path()
    assert (path.to_numpy() - 1 == state).mean() > 0.95
    assert path.columns.tolist() == list(panel.units.names)
    now = fitted.regime_probabilities()
    assert now.loc["unit 3"].to_numpy() == pytest.approx(history.loc[(panel.weeks[-1], "unit 3")].to_numpy())
    table = fitted.regime_table()
    assert table.index.tolist() == [1, 2]
    assert table.loc[2, "weeks"] == pytest.approx(1 / 0.15, rel=0.25)
    assert table["share"].to_numpy() == pytest.approx([0.75, 0.25], abs=0.06)


def interval_cover(truth: Regimes, panel: Panel, fitted: FittedHiddenMarkov, level: float) -> dict[str, tuple]:
    """Return truth, estimate, and standard error of each parameter; ratios in terms of the level that was used."""
    values, errors = fitted.estimates.natural()
    used = fitted.family.cases(panel, fitted.season)[1][0]
    true = {f"ratio_{s + 1}": truth.ratio[s] * level / used for s in range(len(truth))}
    true |= {f"size_{s + 1}": truth.size[s] for s in range(len(truth))}
    matrix = truth.matrix()
    true |= {f"transition_{r + 1}_{s + 1}": matrix[r, s] for r in range(len(truth)) for s in range(len(truth))}
    if truth.wave.any():
        true |= {"sin_2": truth.wave[1, 0], "cos_2": truth.wave[1, 1]}
    return {name: (true[name], values[name], errors[name]) for name in true}


def _scale(name: str):
    if name.startswith(("sin", "cos")):
        return lambda x: x
    return (lambda x: np.log(x / (1 - x))) if name.startswith("transition") else np.log


def recover(truth: Regimes, panels: int, *, weeks: int = 400, units: int = 20, level: float = 2.0) -> pd.DataFrame:
    """Return bias, root mean squared error, mean standard error and coverage of each parameter over panels."""
    rows = []
    family = HiddenMarkov(
        regimes=len(truth), pooling=1e9, seasonal_transitions=bool(truth.wave.any()), persistence_weeks=1, **PLAIN
    )
    for seed in range(panels):
        panel, _ = simulate(truth, np.random.default_rng(1000 + seed), weeks=weeks, units=units, level=level)
        fitted = family.fit(panel, np.random.default_rng(seed))
        assert fitted.remarks == ()
        for name, (true, found, error) in interval_cover(truth, panel, fitted, level).items():
            scale = _scale(name)  # intervals on the scale of the search, where errors are more nearly normal
            slope = (scale(found + 1e-6) - scale(found - 1e-6)) / 2e-6
            away = (scale(found) - scale(true)) / (slope * error)
            rows.append((name, true, found - true, error, abs(away) < 1.96))
    frame = pd.DataFrame(rows, columns=["parameter", "truth", "error", "std_error", "covered"])
    by = frame.groupby("parameter", sort=False)
    return pd.DataFrame(
        {
            "truth": by["truth"].mean(),
            "bias": by["error"].mean(),
            "rmse": by["error"].apply(lambda e: np.sqrt((e**2).mean())),
            "std_error": by["std_error"].mean(),
            "coverage": by["covered"].mean(),
        }
    )


def test_known_regimes_are_recovered():
    table = recover(TWO, 4)
    assert (table["bias"].abs() < 3.5 * table["std_error"] / np.sqrt(4)).all()
    assert (table["std_error"] < 0.2 * table["truth"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("truth", [TWO, THREE, SEASONAL], ids=["two", "three", "seasonal"])
def test_known_regimes_are_recovered_from_many_panels(truth):
    table = recover(truth, 120)
    print(table.round(4).to_string())
    assert (table["bias"].abs() < 0.1 * table["truth"].abs() + 0.005).all()
    ratio = table["rmse"] / table["std_error"]
    assert ratio.between(0.8, 1.25).all()
    assert 0.93 <= table["coverage"].mean() <= 0.97
    assert (table["coverage"] >= 0.89).all()


@pytest.mark.slow
def test_ratios_and_transitions_are_recovered_with_levels_that_are_estimated():
    """What a user has: the level of each unit is its own mean, which the regimes that it happened to be in move."""
    found = []
    for seed in range(100):
        panel, _ = simulate(THREE, np.random.default_rng(3000 + seed), weeks=520, units=30)
        panel = Panel.of(panel.counts, panel.weeks, panel.units)
        fitted = HiddenMarkov(regimes=3, **PLAIN).fit(panel, np.random.default_rng(seed))
        assert fitted.remarks == ()
        regimes = fitted.estimates.regimes
        found.append([*np.log(regimes.ratio[1:] / regimes.ratio[0]), *np.diag(regimes.matrix())])
    mean = np.mean(found, axis=0)
    print(mean.round(3))
    assert mean[:2] == pytest.approx(np.log(THREE.ratio[1:] / THREE.ratio[0]), abs=0.15)
    assert mean[2:] == pytest.approx([0.94, 0.90, 0.85], abs=0.02)


def test_counts_without_regimes_are_told_so():
    rng = np.random.default_rng(1)
    panel, _ = simulate(TWO, rng, weeks=120, units=3)
    level = np.full(panel.counts.shape, 200)
    steady = Panel.of(level + rng.integers(0, 2, level.shape), panel.weeks, panel.units)
    fitted = HiddenMarkov(season=False).fit(steady, rng)
    assert len(fitted.estimates.regimes) < 3
    assert "more than the data tell apart" in fitted.remarks[0]
    assert fitted.predict(4, 50, rng).mean() == pytest.approx(200.5, rel=0.1)


def test_few_events_are_told_so():
    weeks = pd.date_range("2015-01-03", periods=60, freq="7D", unit="s")
    counts = np.zeros((60, 4), dtype=int)
    counts[30, 1] = 2
    fitted = HiddenMarkov().fit(Panel.of(counts, weeks, Units.of(list("ABCD"))), np.random.default_rng(1))
    assert any("2 events are too few" in remark for remark in fitted.remarks)
    assert any("no season" in remark for remark in fitted.remarks)


def test_a_search_that_does_not_converge_tells_so_and_still_forecasts(monkeypatch):
    panel, _ = simulate(TWO, np.random.default_rng(1), weeks=60, units=3)
    monkeypatch.setattr(estimation, "SHORT", 1)
    monkeypatch.setattr(estimation, "LONG", 1)
    fitted = HiddenMarkov(regimes=2, season=False).fit(panel, np.random.default_rng(1))
    assert any("did not converge" in remark for remark in fitted.remarks)
    assert np.isfinite(fitted.predict(4, 50, np.random.default_rng(1)).mean()).all()


def test_a_refit_from_an_earlier_one_ends_at_the_same_place():
    panel, _ = simulate(THREE, np.random.default_rng(9), weeks=300, units=8)
    family = HiddenMarkov(season=False)
    earlier = family.fit(panel.until(panel.weeks[280]), np.random.default_rng(1))
    warm = family.refit(panel, np.random.default_rng(1), earlier)
    cold = family.fit(panel, np.random.default_rng(1))
    pd.testing.assert_frame_equal(warm.summary(), cold.summary(), rtol=1e-2)


def test_poisson_counts_have_no_sizes():
    panel, _ = simulate(TWO, np.random.default_rng(4), weeks=150, units=5)
    fitted = HiddenMarkov(regimes=2, distribution="poisson", season=False).fit(panel, np.random.default_rng(1))
    assert not any(name.startswith(("size", "excess")) for name in fitted.summary().index)
    assert np.isinf(fitted.regime_table()["size"]).all()
    assert fitted.predict(3, 50, np.random.default_rng(1)).tail().max() < 1e-6
