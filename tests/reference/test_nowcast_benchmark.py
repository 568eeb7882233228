"""The method of baselinenowcast, as the benchmark has it, is the published one; and the benchmark's verdict holds."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "studies" / "nowcast.py"
SPEC = importlib.util.spec_from_file_location("nowcast_benchmark", PATH)
nowcast_benchmark = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(nowcast_benchmark)

NAN = np.nan
# The triangle of the package's documentation of `estimate_and_apply_delay`.
PUBLISHED = np.array(
    [[80, 50, 25, 10], [100, 50, 20, NAN], [90, 45, NAN, NAN], [110, NAN, NAN, NAN], [95, NAN, NAN, NAN]]
)


def test_the_point_nowcast_is_the_published_one() -> None:
    pmf = nowcast_benchmark.chain_ladder(PUBLISHED)
    point = nowcast_benchmark.filled(PUBLISHED, pmf)
    assert point[1, 3] == pytest.approx(10.97165, abs=1e-5)
    known = ~np.isnan(PUBLISHED)
    np.testing.assert_array_equal(point[known], PUBLISHED[known])
    assert (nowcast_benchmark.filled(np.array([[0.0, NAN]]), np.array([0.5, 0.5]))[0] == [0, 0.5]).all()


def test_deletions_are_taken_from_earlier_delays_as_in_the_packages_example() -> None:
    rows = np.array([[10, 5, -2, 3], [8, -3, 4, 2], [1, 6, 3, -1]], dtype=float)
    expected = [[10, 3, 0, 3], [5, 0, 4, 2], [1, 6, 2, 0]]
    np.testing.assert_array_equal(nowcast_benchmark.without_negatives(rows), expected)


def test_a_triangle_as_it_was_lacks_one_diagonal_a_week() -> None:
    whole = np.ones((6, 3))
    earlier = nowcast_benchmark.as_known(whole, 2)
    assert np.isnan(earlier).tolist() == [[False] * 3, [False] * 3, [False, False, True], [False, True, True]]


def test_the_size_of_simulated_errors_is_found() -> None:
    rng = np.random.default_rng(1)
    mean = rng.uniform(5, 40, 3000)
    seen = rng.negative_binomial(4, 4 / (4 + mean))
    assert nowcast_benchmark.fitted_size(seen.astype(float), mean) == pytest.approx(4, rel=0.1)


def test_the_nowcast_is_better_than_the_others_on_the_history_of_another_seed() -> None:
    settings = nowcast_benchmark.CASES["some events"]
    rows = pd.concat(nowcast_benchmark.one_history(settings, seed=1000, every=16), ignore_index=True)
    assert set(rows["age"]) == {0, 1, 2, 3}
    crps = rows.groupby("method")["crps"].mean()
    assert crps.idxmin() == "forecast"
    assert crps["forecast"] < 0.6 * crps["face value"]
