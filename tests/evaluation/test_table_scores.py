"""Scores of foreign forecasts: equal to those of the functions on arrays, whatever form the forecast has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation.forecast_table import ForecastTable
from forecast.evaluation.record import QUANTILE_LEVELS
from forecast.evaluation.sample_scores import crps_samples
from forecast.evaluation.scores import crps_pmf, weighted_interval_score
from forecast.evaluation.table_scores import common_cells, score_tables, summarise

WEEKS = 91
RATE = 3.0


@pytest.fixture(scope="module")
def outcomes():
    ends = pd.date_range("2024-01-05", periods=WEEKS, freq="7D", unit="s")
    return pd.DataFrame({"unit": "Gao", "end": ends, "observed": np.random.default_rng(1).poisson(RATE, WEEKS)})


def table(kind, outcomes, values, keys, model="m"):
    """One forecast a week; values of shape (keys, weeks)."""
    cells = pd.DataFrame(
        {"model": model, "unit": "Gao", "origin": pd.NaT, "end": outcomes["end"], "horizon": 0}
    ).astype({"origin": "datetime64[s]"})
    rows = cells.loc[np.repeat(np.arange(WEEKS), len(keys))].reset_index(drop=True)
    return ForecastTable(kind, rows.assign(key=np.tile(np.asarray(keys, object), WEEKS), value=values.T.ravel()))


def quantiles(outcomes, rate=RATE, model="m"):
    values = np.repeat(stats.poisson(rate).ppf(QUANTILE_LEVELS)[:, None], WEEKS, axis=1)
    return table("quantile", outcomes, values, QUANTILE_LEVELS, model)


def test_quantiles(outcomes):
    found = score_tables([quantiles(outcomes)], outcomes).cells
    values = np.repeat(stats.poisson(RATE).ppf(QUANTILE_LEVELS)[:, None], WEEKS, axis=1)
    expected = weighted_interval_score(values, QUANTILE_LEVELS, outcomes["observed"].to_numpy())
    assert found["wis"].to_numpy() == pytest.approx(expected)
    assert found[["crps", "log", "dss"]].isna().all(axis=None)


def test_samples(outcomes):
    samples = np.random.default_rng(2).poisson(RATE, (50, WEEKS))
    found = score_tables([table("sample", outcomes, samples, [f"s{k}" for k in range(50)])], outcomes).cells
    y = outcomes["observed"].to_numpy()
    assert found["crps"].to_numpy() == pytest.approx(crps_samples(samples, y))
    assert found["pit_upto"].to_numpy() == pytest.approx((samples <= y).mean(axis=0))
    assert found["log"].isna().all()


def test_probabilities(outcomes):
    pmf = np.repeat(stats.poisson(RATE).pmf(np.arange(12))[:, None], WEEKS, axis=1)
    found = score_tables([table("pmf", outcomes, pmf, range(12))], outcomes).cells
    y = outcomes["observed"].to_numpy()
    assert found["crps"].to_numpy() == pytest.approx(crps_pmf(pmf.T, y))
    assert found["log"].to_numpy() == pytest.approx(-stats.poisson(RATE).logpmf(y))
    assert found["pit_below"].to_numpy() == pytest.approx(stats.poisson(RATE).cdf(y - 1))
    exact = score_tables([quantiles(outcomes)], outcomes).cells
    assert found["wis"].to_numpy() == pytest.approx(exact["wis"].to_numpy())


def test_a_forecast_of_several_kinds_is_scored_once_by_the_one_that_tells_most(outcomes):
    pmf = np.repeat(stats.poisson(RATE).pmf(np.arange(12))[:, None], WEEKS, axis=1)
    samples = np.random.default_rng(2).poisson(RATE, (50, WEEKS))
    kinds = [quantiles(outcomes), table("sample", outcomes, samples, [f"s{k}" for k in range(50)])]
    by_samples = score_tables(kinds, outcomes)
    assert set(by_samples.cells["kind"]) == {"sample"}
    assert len(by_samples.cells) == WEEKS
    best = score_tables([*kinds, table("pmf", outcomes, pmf, range(12))], outcomes.iloc[:-1])
    assert set(best.cells["kind"]) == {"pmf"}
    assert (len(best.cells), best.unknown) == (WEEKS - 1, 1)


def test_a_count_beyond_the_probabilities(outcomes):
    pmf = np.full((1, WEEKS), 0.4)
    found = score_tables([table("pmf", outcomes, pmf, [0])], outcomes).cells
    far = found[found["observed"] > 1].iloc[0]
    assert (far["pit_below"], far["pit_upto"]) == (1, 1)
    assert far["crps"] == pytest.approx(0.16 + far["observed"] - 1)


def test_the_verdict(outcomes):
    right = score_tables([quantiles(outcomes)], outcomes).cells
    assert summarise(right, np.random.default_rng(1))["verdict"].tolist() == ["no fault found"]
    low = score_tables([quantiles(outcomes, 1.5)], outcomes).cells
    assert "too low" in summarise(low, np.random.default_rng(1))["verdict"].iloc[0]


def test_few_quantiles_tell_nothing_of_calibration(outcomes):
    some = quantiles(outcomes)
    few = ForecastTable("quantile", some.rows[some.rows["key"].isin([0.25, 0.5, 0.75])])
    row = summarise(score_tables([few], outcomes).cells, np.random.default_rng(1)).iloc[0]
    assert row["verdict"] == "too few quantiles to tell"
    assert np.isnan(row["cov80"])
    assert row["wis"] > 0


def test_forecasts_may_have_levels_of_their_own(outcomes):
    rows = quantiles(outcomes).rows
    half = rows["end"] < rows["end"].iloc[len(rows) // 2]
    some = ForecastTable("quantile", rows[~half | rows["key"].isin([0.05, 0.5, 0.95])])
    found = score_tables([some], outcomes).cells
    whole = score_tables([quantiles(outcomes)], outcomes).cells
    assert len(found) == WEEKS
    assert found["end"].tolist() == whole["end"].tolist()
    late = (whole["end"] >= rows["end"].iloc[len(rows) // 2]).to_numpy()
    assert found["wis"][late].to_numpy() == pytest.approx(whole["wis"][late].to_numpy())


def test_only_common_forecasts_are_compared(outcomes):
    late = outcomes.iloc[10:]
    first = score_tables([quantiles(outcomes)], outcomes).cells
    second = score_tables([quantiles(outcomes, model="n")], late).cells
    cells, missing = common_cells(pd.concat([first, second]))
    assert missing == {"m": 0, "n": 10}
    assert cells.groupby("model").size().to_dict() == {"m": WEEKS - 10, "n": WEEKS - 10}
    with pytest.raises(InputError, match="no forecast is common"):
        common_cells(pd.concat([first.iloc[:10], second]))


def test_what_is_not_known_is_counted(outcomes):
    other = outcomes.iloc[5:].assign(unit="Gao")
    found = score_tables([quantiles(outcomes)], other)
    assert (found.unknown, len(found.cells), found.unknown_units) == (5, WEEKS - 5, ())
    with pytest.raises(InputError, match="it is known what came") as caught:
        score_tables([quantiles(outcomes)], outcomes.assign(unit="Mopti"))
    assert "'Mopti'" in str(caught.value)


def test_probabilities_of_more_than_one_are_refused(outcomes):
    with pytest.raises(InputError, match=r"sum to 1\.200"):
        score_tables([table("pmf", outcomes, np.full((2, WEEKS), 0.6), [0, 1])], outcomes)


def test_quantiles_that_cross_are_named(outcomes):
    made = quantiles(outcomes)
    swapped = made.rows.index[(made.rows["end"] == outcomes["end"][3]) & (made.rows["key"] == 0.5)]
    made.rows.loc[swapped, "value"] = 99.0
    with pytest.raises(InputError, match=r"quantiles that cross: .*99") as caught:
        score_tables([made], outcomes)
    assert f"week until {outcomes['end'][3]:%Y-%m-%d}" in caught.value.where
