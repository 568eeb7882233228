import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation.calibration import central_coverage, pit_histogram
from forecast.evaluation.diagnosis import (
    coverage,
    diagnose,
    marginal_calibration,
    pit_band,
    season,
    sharpness,
    verdict,
)

WEEKS = np.repeat(np.arange(156), 10)


def pit_of(y, law):
    return np.column_stack([law.cdf(y - 1), law.cdf(y)])


@settings(deadline=None, max_examples=25)
@given(st.floats(0.05, 20), st.floats(0.3, 10), st.integers(0, 2**32 - 1))
def test_the_pit_of_a_perfect_forecaster_is_uniform(mean, size, seed):
    law = stats.nbinom(size, size / (size + mean))
    pit = pit_of(law.rvs(4000, random_state=seed), law)
    np.testing.assert_allclose(pit_histogram(pit)["density"], 1, atol=0.3)
    np.testing.assert_allclose(central_coverage(pit), [0.5, 0.8, 0.95], atol=0.045)


def test_coverage_has_the_share_and_an_interval_that_dependence_widens():
    rng = np.random.default_rng(1)
    apart = rng.random((156, 10))
    together = np.repeat(rng.random((12, 1)), 13, axis=0) + 0 * apart
    found = {}
    for name, u in (("apart", apart), ("together", together)):
        pit = np.stack([u.ravel(), u.ravel()], axis=1)
        table = coverage(pit, WEEKS, np.random.default_rng(2))
        assert table["coverage"].tolist() == central_coverage(pit).tolist()
        assert (table["low"] <= table["coverage"]).all()
        assert (table["coverage"] <= table["high"]).all()
        found[name] = (table["high"] - table["low"])[1]
    assert found["together"] > 3 * found["apart"]
    pit[3] = np.nan
    assert coverage(pit, WEEKS, rng)["n"].tolist() == [1559] * 3
    assert np.isnan(coverage(pit[:0], WEEKS[:0], rng)[["coverage", "low"]]).all(axis=None)


def test_band_holds_all_bins_at_once_as_often_as_it_says():
    rng = np.random.default_rng(3)
    law = stats.nbinom(1, 0.4)
    held = []
    for _ in range(200):
        band = pit_band(pit_of(law.rvs(1560, random_state=rng), law), WEEKS, rng, replicates=300)
        held.append(band["density"].between(band["low"], band["high"]).all())
    assert 0.82 < np.mean(held) < 0.97
    assert pit_band(np.full((20, 2), 0.5), np.arange(20), rng)["low"].isna().all()


def test_marginal_calibration_by_hand():
    pmf = np.array([[0.5, 0.5, 0.0], [0.7, 0.1, 0.2]])
    table = marginal_calibration(pmf, np.array([0, 9]))
    np.testing.assert_allclose(table["forecast"], [0.6, 0.3, 0.1])
    np.testing.assert_allclose(table["observed"], [0.5, 0, 0])
    np.testing.assert_allclose(table["difference"], [0.1, 0.4, 0.5])
    with pytest.raises(InputError, match="shape"):
        marginal_calibration(pmf, np.array([0]))


def test_sharpness_takes_the_levels_that_are_there():
    quantiles = np.array([[0, 2], [1, 3], [4, 9]])
    assert sharpness(quantiles, [0.1, 0.5, 0.9]).to_dict() == {0.8: 5.5}


def test_seasons():
    days = pd.DatetimeIndex(["2026-12-05", "2026-02-28", "2026-05-02", "2026-11-07"])
    assert season(days).tolist() == ["December to February"] * 2 + ["March to May", "September to November"]


def test_groups_are_judged_each_for_themselves():
    rng = np.random.default_rng(4)
    law = stats.nbinom(1, 0.2)
    y = law.rvs(1560, random_state=rng)
    region_class = np.tile(["quiet", "active"], 780)
    pit = pit_of(y, law)
    pit[region_class == "active"] = pit_of(y, stats.poisson(4))[region_class == "active"]
    horizon = np.tile([1, 1, 2, 2], 390)
    table = diagnose(pit, WEEKS, rng, groups={"class": region_class, "horizon": horizon}).set_index(["group", "label"])
    assert list(table.index) == [
        ("all", "all"),
        ("class", "active"),
        ("class", "quiet"),
        ("horizon", 1),
        ("horizon", 2),
    ]
    assert "too narrow" in table.loc[("class", "active"), "verdict"]
    assert table.loc[("class", "quiet"), "verdict"] == "no fault found"
    assert table.loc[("class", "active"), "cov80"] < 0.7
    assert table.loc[("class", "quiet"), "cov80_low"] < 0.8 < table.loc[("class", "quiet"), "cov80_high"]
    with pytest.raises(InputError, match="labels of 'class'"):
        diagnose(pit, WEEKS, rng, groups={"class": region_class[:3]})


def test_verdicts():
    assert verdict(-0.1, 0.001, -0.5, 0.001) == "too high, too wide"
    assert verdict(-0.1, 0.03, 0.05, 0.001) == "slightly too narrow"
    assert verdict(np.nan, np.nan, np.nan, np.nan) == "too few weeks to tell"
