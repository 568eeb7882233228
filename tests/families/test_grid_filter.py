"""The grid filter: against sums over all paths, its steps by their moments, its settings and rates recovered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from forecast.errors import InputError
from forecast.families.grid_filter.family import FittedGridFilter, GridFilter
from forecast.families.grid_filter.filtering import DECAYS, Belief
from forecast.families.grid_filter.rates import SPACING, log_rates, spread_around, walk
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units

ONE = GridFilter(walks=(0.1,), jumps=(0.02,), resets=(0.03,), shapes=(2.0,), excesses=(0.3,), season=False)


def panel_of(counts: np.ndarray, observed: np.ndarray | None = None) -> Panel:
    weeks = pd.date_range("2015-01-03", periods=len(counts), freq="7D", unit="s")
    units = Units.of([f"U{i}" for i in range(counts.shape[1])], groups=["G"] * counts.shape[1])
    return Panel.of(counts, weeks, units, observed=observed)


def fitted(family: GridFilter, panel: Panel) -> FittedGridFilter:
    return family.fit(panel, np.random.default_rng(0))


def nbinom(count: int, mean: np.ndarray) -> np.ndarray:
    """Return the probability of a count under `ONE` at each mean, with scipy."""
    size = 1 / (1 / 2.0 + 0.3 / mean)
    return stats.nbinom.pmf(count, size, size / (size + mean))


def sum_over_paths(counts: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the joint probability of three counts and every path of the rate under `ONE`, and the transitions."""
    panel = panel_of(counts[:, None])
    chain, at = ONE.chain(panel), np.exp(log_rates(counts.max()))
    weeks, events, moves = 0.0, 0.0, []
    start = spread_around(np.log(at), np.array([0.5]), 2.5)[0]
    for y in counts:
        events, weeks = 0.99 * events + y, 0.99 * weeks + 1
        country = (events + 10 * (events + 0.5) / (weeks + 1)) / (weeks + 10)
        level = (events + 1) / (weeks + 1 / country)
        moves.append(chain.steps[0] + 0.03 * spread_around(np.log(at), np.array([level]), 1.0))
    p = [nbinom(int(y), at) for y in counts]
    joint = (start * p[0])[:, None, None] * (moves[0] * p[1])[:, :, None] * (moves[1] * p[2])[None]
    return joint, moves


def test_walks_add_up_as_variances_do_and_keep_the_uniform_distribution() -> None:
    np.testing.assert_allclose(walk(50, 0.03) @ walk(50, 0.04), walk(50, 0.05), atol=1e-13)
    np.testing.assert_allclose(walk(50, 0.3).sum(axis=0), 1.0, atol=1e-12)
    away = SPACING * (np.arange(64) - 32)
    for scale in (0.01, 0.1, 0.4):
        assert walk(64, scale)[32] @ away**2 == pytest.approx(scale**2, rel=1e-6)


def test_jump_and_reset_leave_the_expected_rate() -> None:
    points = log_rates(5)
    mean = np.array([0.05, 0.3, 2.0])
    np.testing.assert_allclose(spread_around(points, mean, 0.7) @ np.exp(points), mean, rtol=2e-3)
    np.testing.assert_allclose(spread_around(points, mean, 1.0).sum(axis=1), 1.0)


def test_filter_score_and_forecast_are_sums_over_all_paths() -> None:
    counts = np.array([2, 0, 3])
    joint, moves = sum_over_paths(counts)
    model = fitted(ONE, panel_of(counts[:, None]))
    _, score = Belief.start(model.chain, 1).follow(model.chain, model.panel, np.ones((3, 1)))
    assert score.sum() == pytest.approx(np.log(joint.sum()), rel=1e-10)
    posterior = joint.sum(axis=(0, 1)) / joint.sum()
    np.testing.assert_allclose(model.rate_distribution().to_numpy()[0], posterior, atol=1e-12)
    pmf = model.predict(2, 10, np.random.default_rng(0)).pmf[:, 0]
    at = np.exp(model.chain.points)
    for h in range(2):
        posterior = posterior @ moves[2]
        expected = [posterior @ nbinom(k, at) for k in range(40)]
        np.testing.assert_allclose(pmf[h, :40], expected, atol=1e-12)


def test_recent_change_is_a_sum_over_all_paths() -> None:
    counts = np.array([0, 4, 6])
    joint, _ = sum_over_paths(counts)
    found = fitted(ONE, panel_of(counts[:, None])).recent_change(weeks=2, factor=2.0)
    ends = joint.sum(axis=1) / joint.sum()
    points = log_rates(counts.max())
    ratio = np.exp(points[None, :] - points[:, None])
    assert found["risen"].iloc[0] == pytest.approx(ends[ratio >= 2].sum(), abs=1e-9)
    assert found["fallen"].iloc[0] == pytest.approx(ends[ratio <= 0.5].sum(), abs=1e-9)
    calm = (1 - 0.02 - 0.03) * walk(len(points), 0.1)
    level = spread_around(points, np.array([0.5]), 2.5)[0] * nbinom(0, np.exp(points))
    walked = ((level @ calm * nbinom(4, np.exp(points))) @ calm * nbinom(6, np.exp(points))).sum()
    assert found["jump"].iloc[0] == pytest.approx(1 - walked / joint.sum(), abs=1e-9)


def test_a_surge_is_told_from_steady_counts() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(1.0, (120, 3))
    counts[-6:, 1] = rng.poisson(20.0, 6)
    counts[-6:, 2] = 0
    found = fitted(GridFilter(), panel_of(counts)).recent_change(weeks=6, factor=2.0)
    assert found.loc["U1", "jump"] > 0.95
    assert found.loc["U1", "risen"] > 0.95
    assert found.loc["U0", "risen"] < 0.1
    assert found.loc["U2", "fallen"] > 10 * found.loc["U2", "risen"]


def test_recent_change_needs_weeks_before_and_a_factor() -> None:
    counts = np.ones((6, 2), int)
    observed = np.ones((6, 2), bool)
    observed[:4, 1] = False
    model = fitted(ONE, panel_of(counts, observed))
    assert model.recent_change(weeks=2).loc["U1"].isna().all()
    with pytest.raises(InputError, match="6 weeks"):
        model.recent_change(weeks=6)
    with pytest.raises(InputError, match="factor"):
        model.recent_change(weeks=2, factor=1.0)


def test_updates_filter_only_what_is_new_and_end_in_the_same_bytes() -> None:
    rng = np.random.default_rng(4)
    counts = rng.poisson(0.7, (150, 4))
    observed = rng.random(counts.shape) > 0.1
    panel = panel_of(counts, observed)
    stepped = fitted(GridFilter(), panel.weeks_between(0, 130))
    for stop in range(131, 151):
        stepped = stepped.update(panel.weeks_between(0, stop))
    whole, _ = Belief.start(stepped.chain, 4).follow(
        stepped.chain, panel, stepped.season.factors(panel.weeks, panel.units)
    )
    for name in ("states", "events", "weeks"):
        assert getattr(stepped.belief, name).tobytes() == getattr(whole, name).tobytes()


def test_a_changed_past_is_filtered_anew() -> None:
    counts = np.random.default_rng(5).poisson(1.0, (60, 2))
    model = fitted(ONE, panel_of(counts))
    revised = counts.copy()
    revised[50, 0] += 6
    again = model.update(panel_of(revised))
    assert again.rate_distribution().loc["U0"].tolist() != model.rate_distribution().loc["U0"].tolist()
    assert (again.belief.states == fitted(ONE, panel_of(revised)).belief.states).all()


def test_the_grid_grows_with_the_counts() -> None:
    counts = np.random.default_rng(6).poisson(2.0, (60, 2))
    model = fitted(ONE, panel_of(counts))
    risen = model.update(panel_of(np.vstack([counts, [[10_000, 2]]])))
    assert len(model.chain.points) == 64
    assert np.exp(risen.chain.points[-1]) >= 20_000
    mean = risen.predict(1, 200, np.random.default_rng(0)).paths.mean(axis=0)[0]
    assert mean[0] > 3_000
    assert mean[1] < 3


def test_a_missing_week_is_a_step_without_an_observation() -> None:
    counts = np.random.default_rng(7).poisson(1.0, (40, 1))
    observed = np.ones((41, 1), bool)
    observed[40] = False
    model = fitted(ONE, panel_of(counts))
    after = model.update(panel_of(np.vstack([counts, [[0]]]), observed))
    reset = model.chain.reset_rows(model.belief)
    expected = model.belief.states[0, 0] @ model.chain.steps[0] + 0.03 * reset
    np.testing.assert_allclose(after.belief.states[0, 0], expected, atol=1e-14)


def test_a_spread_across_a_border_is_expected() -> None:
    """A silent unit beside a busy one expects more than a silent one far from it; without spread both expect the same.

    Its rate still counts as its own: it expects a small part of its neighbour's.
    """
    counts = np.zeros((80, 3), int)
    counts[-30:, 0] = np.random.default_rng(3).poisson(4.0, 30)
    panel = panel_of(counts)
    pairs = sparse.csr_array(([100.0, 100.0], ([0, 1], [1, 0])), shape=(3, 3))
    beside = replace(panel, neighbours=Neighbours(pairs, pairs))
    for spread, more in ((0.25, 3.0), (0.0, 1.0)):
        mean = fitted(GridFilter(spread=spread), beside).predict(4, 100, np.random.default_rng(0)).mean()
        assert mean[0, 1] == pytest.approx(mean[0, 2]) if more == 1 else mean[0, 1] > more * mean[0, 2]
        assert mean[0, 1] < 0.1 * mean[0, 0]


def test_the_season_moves_the_forecast_and_not_the_rate() -> None:
    weeks = np.arange(8 * 52)
    mean = 2 * np.exp(0.9 * np.sin(2 * np.pi * weeks / 52.18))
    panel = panel_of(np.random.default_rng(8).poisson(mean[:, None], (len(weeks), 6)))
    ahead = fitted(GridFilter(), panel).predict(52, 10, np.random.default_rng(0)).mean()[:, 0]
    assert ahead.max() > 2.5 * ahead.min()
    flat = fitted(GridFilter(season=False), panel).predict(52, 10, np.random.default_rng(0)).mean()[:, 0]
    assert flat.max() < 2 * flat.min()


def test_paths_have_lasting_levels() -> None:
    counts = np.zeros((60, 1), int)
    counts[-2:] = 5
    paths = fitted(GridFilter(), panel_of(counts)).predict(8, 4000, np.random.default_rng(1)).paths[:, :, 0]
    assert np.corrcoef(paths[:, :4].sum(axis=1), paths[:, 4:].sum(axis=1))[0, 1] > 0.3


def test_remarks_say_what_the_panel_could_not_carry() -> None:
    silent = fitted(GridFilter(), panel_of(np.zeros((30, 3), int)))
    assert any("no event" in remark for remark in silent.remarks)
    assert any("no season: 30 weeks" in remark for remark in silent.remarks)
    assert fitted(GridFilter(season=False), panel_of(np.ones((30, 3), int))).remarks == ()


def test_weights_sum_to_one_and_the_summary_averages_them() -> None:
    model = fitted(GridFilter(), panel_of(np.random.default_rng(9).poisson(0.5, (90, 3))))
    assert model.weights.sum() == pytest.approx(1.0)
    summary = model.summary()
    assert summary.loc["walk", "estimate"] == pytest.approx(model.weights.sum(axis=1) @ model.family.moves()[:, 0])
    assert 1.0 <= summary.loc["shape", "estimate"] <= 4.0


SEARCH = GridFilter(
    walks=(0.02, 0.06, 0.18), jumps=(0.0, 0.03), resets=(0.01,), shapes=(0.5, 2.0, 8.0), excesses=(0.0, 0.5),
    half_life_weeks=1e9, temper=1.0, season=False,
)  # fmt: skip


def simulated(move: np.ndarray, scatter: np.ndarray, rng: np.random.Generator) -> tuple[Panel, np.ndarray]:
    """Draw 200 weeks of 10 units from the model, rates between the points too; return them and the last log rates."""
    units, weeks = 10, 200
    walking, jump, reset = move
    chain = SEARCH.chain(panel_of(np.full((1, units), 10)))
    counts = np.zeros((weeks, units), int)
    events, known = np.zeros((2, units)), np.zeros((2, units))
    x = np.zeros(units)
    for t in range(weeks):
        anew = chain.reset_rows(Belief(np.empty(0), events, known))
        drawn = np.array([rng.choice(chain.points, p=row) for row in anew])
        kind = rng.random(units)
        x = x + walking * rng.standard_normal(units)
        x = np.where(kind < jump, x - 0.7**2 / 2 + 0.7 * rng.standard_normal(units), x)
        x = np.where((kind > 1 - reset) | (t == 0), drawn, x)
        x = np.clip(x, chain.points[0], chain.points[-1])
        size = 1 / (1 / scatter[0] + scatter[1] / np.exp(x))
        counts[t] = rng.poisson(rng.gamma(size, np.exp(x) / size))
        events, known = DECAYS[:, None] * events + counts[t], DECAYS[:, None] * known + 1
    return panel_of(counts), x


def recovery(seeds: range) -> dict[str, np.ndarray]:
    """Fit panels whose settings are drawn evenly from the grid: errors, variances, and what intervals of 95 % hold."""
    errors, variances, settings_held, rates_held = [], [], [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        move, scatter = rng.choice(SEARCH.moves()), rng.choice(SEARCH.scatters())
        panel, x = simulated(move, scatter, rng)
        model = fitted(SEARCH, panel)
        summary = model.summary()
        errors.append(summary["estimate"] - [*move, *scatter])
        variances.append(summary["std_error"] ** 2)
        true = (SEARCH.moves() == move).all(axis=1)[:, None] & (SEARCH.scatters() == scatter).all(axis=1)
        # Mass of the combinations more probable than the true one, and a random share of its own: uniform.
        mine = model.weights[true][0]
        settings_held.append(model.weights[model.weights > mine].sum() + rng.random() * mine < 0.95)
        rates = model.rate_distribution()
        below = np.cumsum(rates.to_numpy(), axis=1)
        edges = model.chain.points + SPACING / 2
        level = np.array([np.interp(value, edges, row) for value, row in zip(x, below, strict=True)])
        rates_held.append((level > 0.025) & (level < 0.975))
    return {
        "errors": np.array(errors), "variances": np.array(variances),
        "settings": np.array(settings_held), "rates": np.array(rates_held),
    }  # fmt: skip


def test_settings_and_rates_are_recovered() -> None:
    found = recovery(range(8))
    assert found["rates"].mean() > 0.85
    assert found["settings"].sum() >= 6


@pytest.mark.slow
def test_settings_and_rates_are_recovered_over_200_panels() -> None:
    found = recovery(range(200))
    spread = np.sqrt(found["variances"].mean(axis=0))
    bias = found["errors"].mean(axis=0)
    used = spread > 1e-6  # one way to reset is all there is
    assert (np.abs(bias[used]) < 3.5 * spread[used] / np.sqrt(200)).all()
    ratio = (found["errors"] ** 2).mean(axis=0)[used] / spread[used] ** 2
    assert ((ratio > 0.5) & (ratio < 1.6)).all()
    assert 0.92 <= found["settings"].mean() <= 0.98
    assert 0.92 <= found["rates"].mean() <= 0.98


def test_large_counts_that_hardly_vary_are_remarked():
    rng = np.random.default_rng(3)
    weeks = pd.date_range("2023-01-07", periods=80, freq="7D", unit="s")
    for sd, told in ((300, True), (6_000, False)):
        counts = np.maximum(rng.normal(10_000, sd, (80, 2)), 0).round().astype(int)
        remarks = GridFilter().fit(Panel.of(counts, weeks, Units.of(["A", "B"])), rng).remarks
        assert any("ranges are too wide" in remark for remark in remarks) is told
