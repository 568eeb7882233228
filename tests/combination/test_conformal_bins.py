"""Conformal sets by bins of counts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import nbinom

from forecast.combination.conformal_bins import BINS, ConformalBins
from forecast.errors import InputError

COUNTS = np.arange(150)


def cases(n, seed, *, size):
    rng = np.random.default_rng(seed)
    mean = rng.gamma(0.4, 6.0, n) + 0.05
    came = np.minimum(rng.negative_binomial(1.0, 1 / (1 + mean)), COUNTS[-1])
    pmf = nbinom.pmf(COUNTS, size, size / (size + 0.7 * mean)[:, None])
    cdf = np.minimum(np.cumsum(pmf, axis=1), 1)
    row = np.arange(n)
    return np.column_stack([np.where(came > 0, cdf[row, came - 1], 0), cdf[row, came]]), came, pmf


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_each_bin_is_covered_though_forecasts_are_too_narrow_and_too_low(coverage):
    past, came, _ = cases(8000, 1, size=8.0)
    found = ConformalBins.of(past, came)
    _, new, pmf = cases(8000, 2, size=8.0)
    inside = found.contains(pmf, coverage)[np.arange(len(new)), new]
    bin_of = np.searchsorted(BINS, new, side="right") - 1
    for b in range(len(BINS)):
        n = (bin_of == b).sum()
        assert inside[bin_of == b].mean() > coverage - 3 * np.sqrt(coverage * (1 - coverage) * (2 / n))
    own = ConformalBins.of(past[:0], came[:0]).contains(pmf, coverage)[np.arange(len(new)), new]
    assert own[bin_of == 3].mean() < coverage - 0.1  # what was wrong


def test_coverage_within_a_bin_is_exact_on_average_over_calibration_sets():
    """Finite sample: with 19 past cases and alpha = 0.1 the chance is 1 - floor(0.1 * 20) / 20 = 0.9, without ties."""
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(4000):
        level = rng.random(20)  # the conformity of 19 past cases and of the new one, all in bin 0 of a forecast
        found = ConformalBins.of(np.column_stack([np.zeros(19), level[:19]]), np.zeros(19), first=(0,), least=1)
        hits.append(found.contains([level[19], 1 - level[19]], 0.9)[0])
    assert np.mean(hits) == pytest.approx(0.9, abs=0.015)


def test_a_bin_with_few_cases_holds_what_the_forecast_says():
    pmf = nbinom.pmf(COUNTS, 2, 2 / 7)
    found = ConformalBins.of([[0.0, 0.5]], [0])
    inside = np.flatnonzero(found.contains(pmf, 0.8))
    cdf = nbinom.cdf(COUNTS, 2, 2 / 7)
    central = np.flatnonzero((cdf >= 0.1) & (np.r_[0, cdf[:-1]] <= 0.9))
    assert inside.tolist() == central.tolist()


def test_larger_coverage_has_larger_sets_and_limits_hold_them():
    past, came, pmf = cases(3000, 4, size=2.0)
    found = ConformalBins.of(past, came)
    small, large = found.contains(pmf, 0.5), found.contains(pmf, 0.9)
    assert (large >= small).all()
    limits = found.limits(pmf, 0.9)
    assert limits.shape == (3000, 2)
    assert limits.dtype == np.int64
    within = (limits[:, :1] <= COUNTS) & (limits[:, 1:] >= COUNTS)
    assert (within >= large).all()
    assert (limits[:, 0] >= 0).all()


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="pairs of shape"):
        ConformalBins.of([[0.1, 0.2]], [1, 2])
    for first in ([], [1, 2], [0, 2, 2]):
        with pytest.raises(InputError, match="bins that start"):
            ConformalBins.of([[0.1, 0.2]], [1], first)
    with pytest.raises(InputError, match="coverage"):
        ConformalBins.of([[0.1, 0.2]], [1]).contains([1.0], 1.0)
