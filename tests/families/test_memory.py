"""Lags and weighted means of earlier counts, against a plain loop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.families.formula import check_formula
from forecast.families.memory import NO_EVENT, START_WEEKS, MemoryKind, neighbour_mean
from forecast.families.recent import panel_level
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units

NAMES = check_formula("count ~ own_1 + own_3 + neighbour_2 + own_ewm_5 + neighbour_ewm_9").dynamic


@pytest.fixture
def panel() -> Panel:
    rng = np.random.default_rng(2)
    ones = np.ones(2)
    return Panel.of(
        rng.poisson(1.0, (30, 4)),
        pd.date_range("2020-01-04", periods=30, freq="7D", unit="s"),
        Units.of(["a", "b", "c", "alone"]),
        observed=rng.random((30, 4)) < 0.8,
        neighbours=Neighbours.from_pairs(np.array([0, 1]), np.array([1, 2]), ones, ones, 4),
    )


def test_covariates_of_a_week_come_from_the_observed_weeks_before_it(panel):
    levels = panel_level(panel)
    covariates, _ = MemoryKind(NAMES).history(panel)
    around = [[1], [0, 2], [1], [0, 1, 2, 3]]  # a unit without neighbours looks at all
    for week in range(30):
        lag, mean = np.empty((3, 4)), np.empty((2, 4))
        for unit in range(4):
            past = panel.counts[:week, unit][panel.observed[:week, unit]]
            level = levels[unit]
            padded = np.r_[np.full(3, level), past]
            lag[:, unit] = padded[::-1][:3]
            for at, span in enumerate((5, 9)):
                decay = 1 - 2 / (span + 1)
                weights = decay ** np.arange(len(past))[::-1]
                start = min(START_WEEKS, (span + 1) / 2) * decay ** len(past)
                mean[at, unit] = (weights @ past + start * level) / (weights.sum() + start)
        for unit in range(4):
            expected = [
                np.log1p(lag[0, unit]),
                np.log1p(lag[2, unit]),
                np.log1p(lag[1, around[unit]].mean()),
                np.log(mean[0, unit] + NO_EVENT / 5),
                np.log(mean[1, around[unit]].mean() + NO_EVENT / 9),
            ]
            np.testing.assert_allclose(covariates[:, week, unit], expected)


def test_many_paths_go_on_as_one_does(panel):
    kind = MemoryKind(NAMES)
    weights = neighbour_mean(panel.neighbours)
    _, state = kind.history(panel)
    many = state.repeat(3)
    for step in range(5):
        counts = np.array([step, 0, 2, 1])
        state, many = kind.follow(state, counts), kind.follow(many, np.tile(counts, (3, 1)))
    np.testing.assert_allclose(
        kind.covariates(many, weights), np.repeat(kind.covariates(state, weights)[:, None], 3, axis=1)
    )
