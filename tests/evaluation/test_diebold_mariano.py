import numpy as np
import pytest
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation.diebold_mariano import diebold_mariano, diebold_mariano_by_horizon


def test_by_hand_with_the_correction_of_harvey_leybourne_and_newbold():
    rng = np.random.default_rng(1)
    d = rng.normal(0.2, 1, 40)
    found = diebold_mariano(d, np.zeros(40), horizon=3, lags=2)
    e = d - d.mean()
    variance = (e @ e + 2 * (e[1:] @ e[:-1] + e[2:] @ e[:-2])) / 40
    statistic = d.mean() / np.sqrt(variance / 40) * np.sqrt((40 + 1 - 6 + 3 * 2 / 40) / 40)
    assert found.statistic == pytest.approx(statistic, abs=1e-10)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(statistic), 39), abs=1e-10)
    assert found.difference == pytest.approx(d.mean())
    assert found.n == 40


def test_of_one_step_it_is_students_t_up_to_the_correction():
    d = np.random.default_rng(2).normal(0.3, 1, 25)
    found = diebold_mariano(d, np.zeros(25), lags=0)
    assert found.statistic == pytest.approx(stats.ttest_1samp(d, 0).statistic)
    assert found.p == pytest.approx(stats.ttest_1samp(d, 0).pvalue)


def test_bartlett_weights_are_those_of_newey_and_west():
    import statsmodels.api as sm

    d = np.random.default_rng(3).normal(0.3, 1, 100).cumsum() / 5
    fit = sm.OLS(d, np.ones(100)).fit(cov_type="HAC", cov_kwds={"maxlags": 4, "use_correction": False})
    assert diebold_mariano(d, np.zeros(100)).error == pytest.approx(float(fit.bse[0]))


def test_variance_that_comes_out_negative_is_replaced():
    d = np.tile([1.0, -1.0], 30) + 0.01
    plain = diebold_mariano(d, np.zeros(60), lags=1)
    assert plain.error > 0


def test_cells_are_averaged_and_missing_ones_left_out_of_both():
    rng = np.random.default_rng(4)
    first, second = rng.random((30, 3)), rng.random((30, 3))
    first[4, 1] = second[5] = np.nan
    found = diebold_mariano(first, second)
    weekly = np.array([np.nanmean(row) for row in np.delete(first - second, 5, axis=0)])
    assert found.n == 29
    assert found.difference == pytest.approx(weekly.mean())
    assert np.isnan(diebold_mariano(first[:5], second[:5]).p)
    assert np.isnan(diebold_mariano(first, first).p)
    with pytest.raises(InputError, match="same shape"):
        diebold_mariano(first, second[:3])


def test_each_horizon_is_tested_with_its_own_lags_and_adjusted():
    rng = np.random.default_rng(5)
    first, second = rng.random((100, 3, 4)), rng.random((100, 3, 4))
    second[:, 1] += 0.2
    table = diebold_mariano_by_horizon(first, second, horizons=np.array([1, 4, 8]))
    assert table["horizon"].tolist() == [1, 4, 8]
    assert table["p"][1] == diebold_mariano(first[:, 1], second[:, 1], horizon=4).p
    assert table["p_holm"][1] == pytest.approx(3 * table["p"][1])
    assert (table["p_holm"] >= table["p"]).all()
    assert table["p_holm"].max() <= 1
