"""The pool as a model: what it says, and that its weights are learned from the past alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from forecast.combination.pool import Pool, marginals
from forecast.families.climatology import Climatology
from forecast.panel.panel import Panel
from forecast.panel.units import Units

RNG = np.random.default_rng
GOOD = {"family": "discount_negbin"}
BAD = {"family": "last"}


def panel_of(weeks=160, units=4, seed=1):
    rng = RNG(seed)
    level = np.geomspace(0.3, 3, units) * np.exp(0.5 * np.sin(np.arange(weeks) / 20))[:, None]
    days = pd.date_range("2018-01-06", periods=weeks, freq="7D", unit="s", name="week")
    return Panel.of(rng.poisson(level), days, Units.of([f"U{at}" for at in range(units)]))


@pytest.fixture(scope="module")
def panel():
    return panel_of()


def fitted(panel, **settings):
    return Pool(members=[GOOD, BAD], **settings).fit(panel, RNG(1))


def test_equal_weights_give_the_mean_of_the_distributions(panel):
    pool = fitted(panel)
    assert (pool.weight == 0.5).all()
    found = pool.predict(4, 2000, RNG(2))
    rng = RNG(2)
    each = [marginals(member.predict(4, 2000, rng)) for member in pool.members]
    longest = max(pmf.shape[2] for pmf in each)
    mean = sum(np.pad(pmf, ((0, 0), (0, 0), (0, longest - pmf.shape[2]))) for pmf in each) / 2
    np.testing.assert_allclose(marginals(found)[..., :longest], mean[..., : marginals(found).shape[2]], atol=1e-12)
    shares = (found.paths == 0).mean(axis=0)
    np.testing.assert_allclose(shares, found.pmf[..., 0], atol=0.05)


@pytest.mark.parametrize("weights", ["log", "crps", "online"])
def test_learned_weights_go_to_the_better_model(panel, weights):
    pool = fitted(panel, weights=weights, prior=1)
    np.testing.assert_allclose(pool.weight.sum(axis=1), 1)
    assert (pool.weight[:, 0] > 0.7).all()
    assert pool.summary().loc["weight[discount_negbin]", "estimate"] == pytest.approx(pool.weight[0, 0])


def test_weights_for_each_week_ahead_keep_paths_and_marginals_together(panel):
    pool = fitted(panel, weights="crps", by_horizon=True, prior=1)
    assert np.ptp(pool.weight[:, 0]) > 0
    found = pool.predict(8, 4000, RNG(3))
    for count in range(3):
        np.testing.assert_allclose((found.paths == count).mean(axis=0), found.pmf[..., count], atol=2e-3)


@pytest.mark.parametrize("kind", ["quantile", "median"])
def test_quantiles_are_averaged(panel, kind):
    found = fitted(panel, kind=kind).predict(4, 4000, RNG(3))
    np.testing.assert_allclose((found.paths == 0).mean(axis=0), found.pmf[..., 0], atol=2e-3)
    np.testing.assert_allclose(found.pmf.sum(axis=2), 1, atol=1e-5)


def test_too_few_trials_leave_the_weights_equal():
    pool = fitted(panel_of(weeks=40), weights="crps")
    assert (pool.weight == 0.5).all()
    assert any("weights are equal: 5 trials are fewer than 8" in remark for remark in pool.remarks)


def test_an_update_keeps_the_weights(panel):
    pool = fitted(panel, weights="crps")
    more = pool.update(panel_of(weeks=170))
    assert np.array_equal(more.weight, pool.weight)
    assert more.predict(1, 10, RNG(1)).origin == panel_of(weeks=170).origin


def test_a_member_that_is_unreliable_is_left_out(panel, monkeypatch):
    pool = fitted(panel)
    bad = type(pool.members[1])
    alone = pool.members[0].predict(4, 500, RNG(2))
    monkeypatch.setattr(bad, "reliable", False)
    again = fitted(panel)
    assert "last is left out: its fit is unreliable" in again.remarks
    assert again.reliable
    np.testing.assert_array_equal(again.shares, np.tile([1.0, 0.0], (8, 1)))
    assert again.summary().loc["weight[last]", "estimate"] == 0
    found = again.predict(4, 500, RNG(2))
    np.testing.assert_allclose(marginals(found)[..., 0], marginals(alone)[..., 0], atol=1e-12)
    monkeypatch.setattr(bad, "reliable", True)
    back = again.update(panel)
    assert not any("left out" in remark for remark in back.remarks)
    np.testing.assert_array_equal(back.shares, pool.weight)


def test_a_pool_of_unreliable_members_says_so(panel, monkeypatch):
    for member in fitted(panel).members:
        monkeypatch.setattr(type(member), "reliable", False)
    pool = fitted(panel)
    assert not pool.reliable
    assert "no member is reliable; all are pooled nevertheless" in pool.remarks
    np.testing.assert_array_equal(pool.shares, pool.weight)


def test_a_refit_starts_from_the_members(panel):
    pool = fitted(panel)
    again = pool.family.refit(panel, RNG(1), pool)
    assert np.array_equal(again.predict(2, 50, RNG(1)).paths, pool.predict(2, 50, RNG(1)).paths)
    assert pool.family.refit(panel, RNG(1), Climatology().fit(panel, RNG(1))).members


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ([GOOD], "at least 2"),
        ([GOOD, GOOD], "two members are called 'discount_negbin'"),
        ([GOOD, {"family": "pool"}], "a pool cannot be a member"),
    ],
)
def test_members_that_make_no_pool(members, text):
    with pytest.raises(ValidationError, match=text):
        Pool(members=members)


def test_an_unknown_member_is_named():
    with pytest.raises(ValidationError, match="unknown family 'discount_negbim'"):
        Pool(members=[GOOD, {"family": "discount_negbim"}])
