"""The steps of a combination: what they learn, where they are on, and that nothing later tells them anything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecast.combination.member_forecasts import MemberForecasts
from forecast.combination.settings import Combination
from forecast.combination.steps import combine_in_sequence
from forecast.combination.track import UNKNOWN, Outcomes, Track
from forecast.errors import InputError

HORIZON, K, ORIGINS = 3, 30, 156
RATE = np.array([0.02, 0.05, 0.4, 0.6, 2.0, 3.0, 4.0, 5.0])
KIND = np.array([0, 0, 1, 1, 2, 2, 2, 2])
ACTIVE = 2
SPANS = (2,)
TRAITS = np.random.default_rng(4).normal(size=(ORIGINS, 2, len(RATE)))


def poisson(rate, sharpness=1.0):
    law = stats.poisson(rate[:, None]).pmf(np.arange(K)) ** sharpness
    return np.broadcast_to(law / law.sum(axis=1, keepdims=True), (HORIZON, *law.shape))


def member(factor=1.0, sharpness=1.0, bold=1.0):
    """A forecaster of the means, wrong by a factor, too sharp, or with probabilities whose logit is stretched."""
    return poisson(factor * RATE, sharpness), bold


def said(members, reversion=0.0, seed=2):
    """The same forecast at every origin but for probabilities of the escalation, which differ by week and unit.

    It comes less often than `members` know where the first trait is high, by `reversion` on the scale of logits.
    """
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 1.5, (ORIGINS, len(RATE)))
    out = []
    for week in range(ORIGINS):
        chance = np.stack([1 / (1 + np.exp(-bold * logit[week])) for _, bold in members])[:, None]
        out.append(MemberForecasts(week, np.stack([law for law, _ in members]), KIND, chance, TRAITS[week]))
    met = rng.random((ORIGINS, 1, len(RATE))) < 1 / (1 + np.exp(reversion * TRAITS[:, 0] - logit))[:, None]
    return out, met.astype(np.int64)


def known_of(counts, met):
    """What is known in a week: the weeks before it."""
    target = np.arange(ORIGINS)[:, None] + np.arange(HORIZON)

    def known(week):
        over = np.arange(ORIGINS) + SPANS[0] <= week
        cells = counts[np.minimum(target, len(counts) - 1)]
        return Outcomes(
            np.where((target < week)[:, :, None], cells, UNKNOWN), np.where(over[:, None, None], met, UNKNOWN)
        )

    return known


def combined(members, *, change=None, known=None, reversion=0.0, **options):
    """Return the steps at each origin; `change` alters counts and outcomes before they can be known."""
    forecasts, met = said(members, reversion)
    counts = np.random.default_rng(1).poisson(RATE, (ORIGINS + HORIZON, len(RATE)))
    if change is not None:
        change(counts, met)
    track = Track(known(counts, met) if known else known_of(counts, met))
    weeks = [week // 13 * 13 for week in range(ORIGINS)]
    combination = Combination(members=[f"m{at}" for at in range(len(members))], **options)
    combine_in_sequence(forecasts, weeks, track, [], combination, spans=SPANS)
    return track.steps


def same(one, other):
    """Whether all that two steps have learned and made is the same, to the last bit."""
    names = ("weight", "trial_weight", "pool", "trial", "final", "pool_chance", "trial_chance", "final_chance")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_without_a_past_the_pool_is_equal_and_nothing_is_mapped():
    first = combined([member(0.8), member(1.2)])[0]
    np.testing.assert_allclose(first.final, (poisson(0.8 * RATE) + poisson(1.2 * RATE)) / 2)
    assert same(first, combined([member(0.8), member(1.2)], weights="crps", recalibration="beta", events="beta")[0])


def test_steps_that_bring_nothing_stay_off():
    last = combined([member(), member()])[-1]
    np.testing.assert_array_equal(last.weight, np.full((HORIZON, 3, 2), 0.5))
    on = [(last.final[:, unit] != last.pool[:, unit]).any() for unit in range(len(RATE))]
    assert sum(on) <= 1
    np.testing.assert_array_equal(last.final_chance, last.pool_chance)


def test_a_bad_member_loses_its_weight_where_it_is_bad():
    last = combined([member(), member(3.0)])[-1]
    assert (last.weight[:, ACTIVE, 0] > 0.7).all()
    assert np.allclose(last.weight.sum(axis=2), 1)


@pytest.mark.parametrize("method", ["crps", "log", "online"])
def test_every_method_of_weights_finds_the_better_member(method):
    last = combined([member(), member(3.0)], weights=method)[-1]
    assert (last.weight[:, ACTIVE, 0] > 0.6).all()


@pytest.mark.parametrize("method", ["auto", "beta", "bernstein"])
def test_members_that_are_too_narrow_are_widened(method):
    last = combined([member(sharpness=5.0), member(sharpness=5.0)], recalibration=method)[-1]
    true = poisson(RATE)[:, KIND == ACTIVE]
    off = [
        np.abs(law[:, KIND == ACTIVE].cumsum(axis=2) - true.cumsum(axis=2)).mean() for law in (last.pool, last.final)
    ]
    assert off[1] < 0.5 * off[0]
    np.testing.assert_allclose(last.final.sum(axis=2), 1, atol=1e-9)


def test_bold_probabilities_of_escalations_are_drawn_in_and_right_ones_left():
    bold, right = combined([member(bold=3.0), member(bold=3.0)])[-1], combined([member(), member()])[-1]
    active = KIND == ACTIVE
    inwards = np.abs(bold.final_chance - 0.5) < np.abs(bold.pool_chance - 0.5)
    assert inwards[:, active].mean() > 0.9
    np.testing.assert_array_equal(right.final_chance[:, active], right.pool_chance[:, active])


def test_probabilities_that_forget_that_surges_pass_are_drawn_down_after_them():
    active = KIND == ACTIVE
    found, without = (
        combined([member(), member()], reversion=1.5, events=method)[-13:] for method in ("auto", "logit")
    )
    moved, surge = (found[-1].final_chance - found[-1].pool_chance)[0], TRAITS[-1, 0]
    clear = active & (np.abs(surge) > 0.5)
    assert (np.sign(moved[clear]) == -np.sign(surge[clear])).all()
    weeks = range(ORIGINS - 13, ORIGINS)
    off = [
        np.mean(
            [
                np.abs(step.final_chance - after_surges(step, week))[:, active]
                for week, step in zip(weeks, each, strict=True)
            ]
        )
        for each in (found, without)
    ]
    assert off[0] < 0.65 * off[1]


def after_surges(step, week):
    """How probable the escalation truly is where surges revert by 1.5."""
    return 1 / (1 + np.exp(1.5 * TRAITS[week, 0]) * (1 / step.pool_chance - 1))


def everything_after(week):
    def change(counts, met):
        counts[week:] = 20
        met[week - SPANS[0] + 1 :] = 1 - met[week - SPANS[0] + 1 :]

    return change


@pytest.mark.parametrize(
    "options", [{}, {"weights": "crps", "recalibration": "beta", "events": "logit"}, {"events": "surge"}]
)
def test_nothing_after_an_origin_changes_what_was_forecast_by_then(options):
    members = [member(0.7, 3.0, 2.0), member(1.5, 3.0, 2.0)]
    before, after = combined(members, **options), combined(members, change=everything_after(104), **options)
    assert all(same(one, other) for one, other in zip(before[:105], after[:105], strict=True))
    assert not all(same(one, other) for one, other in zip(before[105:], after[105:], strict=True))


def test_a_later_vintage_changes_nothing_before_it():
    def late(counts, met):
        plain, other = known_of(counts, met), known_of(counts + 3, 1 - met)
        return lambda week: other(week) if week >= 104 else plain(week)

    members, options = [member(0.7), member(1.5)], {"weights": "crps", "recalibration": "beta", "events": "logit"}
    before, after = combined(members, **options), combined(members, known=late, **options)
    assert all(same(one, other) for one, other in zip(before[:104], after[:104], strict=True))
    assert not same(before[104], after[104])


def test_what_is_learned_after_the_origin_is_refused():
    forecasts, met = said([member(), member()])
    track = Track(known_of(np.zeros((ORIGINS + HORIZON, len(RATE)), int), met))
    with pytest.raises(InputError, match="learned after its origin"):
        combine_in_sequence(forecasts[:1], [1], track, [], Combination(members=["a", "b"]), spans=SPANS)


def test_another_track_teaches_from_the_first_origin_on():
    forecasts, met = said([member(), member(3.0)])
    counts = np.random.default_rng(1).poisson(RATE, (ORIGINS + HORIZON, len(RATE)))
    weeks, combination = list(range(ORIGINS)), Combination(members=["a", "b"], recalibration="none", events="none")
    weeks = [week // 13 * 13 for week in weeks]
    first, second = Track(known_of(counts, met)), Track(lambda _: pytest.fail("nothing of it is in the past"))
    combine_in_sequence(forecasts, weeks, first, [], combination, spans=SPANS)
    later = [MemberForecasts(200, one.pmf, one.activity, one.chance, one.traits) for one in forecasts[:1]]
    combine_in_sequence(later, [200], second, [first], combination, spans=SPANS)
    assert (second.steps[0].weight[:, ACTIVE, 0] > 0.7).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_a_pool_lies_within_its_members(seed, number):
    rng = np.random.default_rng(seed)
    pmf = rng.dirichlet(np.ones(6), (number, HORIZON, 4))
    one = MemberForecasts(5, pmf, rng.integers(0, 3, 4), rng.random((number, 1, 4)), np.zeros((0, 4)))
    track = Track(lambda _: pytest.fail("nothing is in the past"))
    names = [f"m{at}" for at in range(number)]
    combine_in_sequence([one], [5], track, [], Combination(members=names), spans=SPANS)
    step = track.steps[0]
    np.testing.assert_allclose(step.final.sum(axis=2), 1)
    assert ((step.final >= pmf.min(axis=0) - 1e-12) & (step.final <= pmf.max(axis=0) + 1e-12)).all()
    assert ((step.final_chance >= one.chance.min(axis=0) - 1e-12) & (step.final_chance <= one.chance.max(axis=0))).all()
