"""Members that said nothing: the others speak for them, and nothing is learned of weights there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.combination.absent_members import with_absent_filled
from forecast.combination.member_forecasts import MemberForecasts
from forecast.combination.pools import linear_pool
from forecast.combination.settings import Combination
from forecast.combination.steps import combine_in_sequence, learn
from forecast.combination.track import UNKNOWN, Outcomes, Track

UNITS, HORIZON, ORIGINS = 3, 2, 80


def laws(rng, members):
    found = rng.dirichlet(np.ones(4), (members, HORIZON, UNITS))
    return [found[at] for at in range(members)]


@given(st.integers(0, 10**6), st.lists(st.floats(0.01, 1), min_size=3, max_size=3))
def test_the_weight_of_an_absent_member_goes_to_the_others_in_equal_parts(seed, weight):
    rng = np.random.default_rng(seed)
    every, share = laws(rng, 3), np.array(weight) / sum(weight)
    none = np.full((HORIZON, UNITS, 1), np.nan)
    pmf, _, absent = with_absent_filled([every[0], none, every[2]], [np.zeros((0, UNITS))] * 3)
    expected = linear_pool(np.stack([every[0], every[2]]), [share[0] + share[1] / 2, share[2] + share[1] / 2])
    np.testing.assert_allclose(linear_pool(pmf, share), expected, atol=1e-12)
    assert absent.all(axis=(1, 2)).tolist() == [False, True, False]
    assert pmf.sum(axis=3) == pytest.approx(1)


def test_where_nobody_is_absent_nothing_changes():
    rng = np.random.default_rng(1)
    every, chances = laws(rng, 2), [rng.random((1, UNITS)), rng.random((1, UNITS))]
    chances[0][0, 1] = chances[1][0, 1] = np.nan  # nobody can tell
    pmf, chance, absent = with_absent_filled(every, chances)
    assert absent is None
    np.testing.assert_array_equal(pmf, np.stack(every))
    np.testing.assert_array_equal(chance, np.stack(chances))


def forecasts(rng, *, absent_until):
    """One good member, one bad one, and one that is perfect but there only after some origins."""
    counts = rng.poisson(1.0, (ORIGINS, HORIZON, UNITS)).clip(0, 3)
    said = []
    for week in range(ORIGINS):
        good, bad = np.full((HORIZON, UNITS, 4), 0.25), np.full((HORIZON, UNITS, 4), 0.0)
        bad[..., 3] = 1.0
        perfect = np.eye(4)[counts[week]] if week >= absent_until else np.full((HORIZON, UNITS, 1), np.nan)
        pmf, chance, absent = with_absent_filled([good, bad, perfect], [np.full((1, UNITS), 0.5)] * 3)
        said.append(MemberForecasts(week, pmf, np.zeros(UNITS, np.int64), chance, np.zeros((0, UNITS)), absent))
    return said, Track(lambda _: Outcomes(counts, np.full((ORIGINS, 1, UNITS), UNKNOWN)))


def learned(absent_until):
    said, track = forecasts(np.random.default_rng(3), absent_until=absent_until)
    settings = Combination(members=["good", "bad", "perfect"], least_origins=26, recalibration="none", events="none")
    combine_in_sequence(said, [week - week % 13 for week in range(ORIGINS)], track, [], settings, spans=[1])
    return learn([track], ORIGINS, settings, members=3, horizon=HORIZON, spans=[1])


def test_weights_are_learned_from_what_all_members_said():
    never, late, always = learned(ORIGINS), learned(60), learned(0)
    np.testing.assert_allclose(never.trial_weight, 1 / 3)
    assert not never.weights_on.any()
    # From 20 origins the perfect one is drawn to, but has not earned it yet; from 80 it has.
    assert 1 / 3 < late.trial_weight[0, 0, 2] < always.trial_weight[0, 0, 2]
    assert not late.weights_on.any()
    assert always.weights_on[:, 0].all()
    assert always.trial_weight[0, 0, 2] > 0.6
