"""The container of a forecast: checks at construction, means, quantiles, tables."""

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.panel.units import Units
from forecast.predictive import negbin
from forecast.predictive.forecast import Forecast, pmf_of_paths

WEEKS = pd.date_range("2026-08-01", periods=2, freq="7D", unit="s")
UNITS = Units.of(["A", "B", "C"])


def poisson_forecast(mean: float = 2.0, draws: int = 4000) -> Forecast:
    means = np.full((draws, 2, 3), mean)
    paths = negbin.sample(means, np.inf, np.random.default_rng(3)).astype(np.int32)
    return Forecast(paths, negbin.mixture_pmf(means[:1], np.inf), WEEKS, UNITS)


def test_marginals_are_those_of_the_pmf() -> None:
    forecast = poisson_forecast()
    np.testing.assert_allclose(forecast.mean(), 2.0, rtol=1e-6)
    assert forecast.quantile([0.5, 0.9])[:, 0, 0].tolist() == [2, 4]
    assert (forecast.origin, forecast.draws, forecast.horizon) == (WEEKS[0], 4000, 2)


def test_a_level_that_the_cdf_meets_exactly_is_not_rounded_up() -> None:
    pmf = np.full((1, 1, 4), 0.25)
    paths = np.arange(4, dtype=np.int32).reshape(4, 1, 1)
    forecast = Forecast(paths, pmf, WEEKS[:1], UNITS.take([0]))
    assert forecast.quantile([0.25, 0.5, 0.75, 0.76]).ravel().tolist() == [0, 1, 2, 3]


def test_beyond_the_head_the_paths_speak() -> None:
    paths = np.full((10, 1, 1), 9000, dtype=np.int32)
    forecast = Forecast(paths, np.zeros((1, 1, 5)), WEEKS[:1], UNITS.take([0]))
    assert forecast.tail().item() == 1.0
    assert forecast.mean().item() == 9000
    assert forecast.quantile([0.5]).item() == 9000


def test_pmf_of_paths_counts_them() -> None:
    paths = np.array([[[0, 2]], [[1, 2]], [[0, 0]], [[0, 2]]], dtype=np.int32)
    expected = [[[0.75, 0.25, 0.0], [0.25, 0.0, 0.75]]]
    np.testing.assert_array_equal(pmf_of_paths(paths), expected)


def test_table_has_one_row_a_week_and_unit() -> None:
    frame = poisson_forecast().to_frame([0.1, 0.9])
    assert list(frame.columns) == ["week", "horizon", "unit", "unit_kind", "mean", "q0.1", "q0.9"]
    assert frame["unit"].tolist() == ["A", "B", "C"] * 2
    assert frame["horizon"].tolist() == [1, 1, 1, 2, 2, 2]


def test_units_are_taken_in_the_order_asked_for() -> None:
    forecast = poisson_forecast()
    taken = forecast.take_units(["C", "A"])
    np.testing.assert_array_equal(taken.paths, forecast.paths[:, :, [2, 0]])
    assert taken.units.names == ("C", "A")
    with pytest.raises(InputError, match="unknown region 'D'"):
        forecast.take_units(["D"])


@pytest.mark.parametrize(
    ("paths", "pmf", "message"),
    [
        (np.zeros((5, 2, 2), np.int32), np.ones((2, 3, 1)), "paths have shape"),
        (np.zeros((5, 2, 3), np.int32), np.ones((3, 2, 1)), "pmf has shape"),
        (np.full((5, 2, 3), -1, np.int32), np.ones((2, 3, 1)), "negative counts"),
        (np.zeros((5, 2, 3), np.int32), np.full((2, 3, 2), 0.6), "sum to at most 1"),
        (np.zeros((5, 2, 3), np.int32), np.full((2, 3, 1), np.nan), "non-negative"),
    ],
)
def test_what_cannot_be_a_forecast_is_refused(paths: np.ndarray, pmf: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Forecast(paths, pmf, WEEKS, UNITS)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, float("nan")])
def test_levels_outside_zero_to_one_are_refused(level: float) -> None:
    with pytest.raises(InputError, match="quantile levels"):
        poisson_forecast().quantile([level])
