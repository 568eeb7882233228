"""The discrete-time Hawkes process of daily counts."""

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.families.discrete_hawkes.family import DiscreteHawkes
from forecast.families.discrete_hawkes.steps import fit_counts

RNG = np.random.default_rng
LAGS = 30


def daily(seed: int, *, days: int = 2500, base: float = 0.2, radius: float = 0.6, decay: float = 0.4) -> np.ndarray:
    """Return daily counts whose offspring come after a geometric delay with mean 1 / decay days."""
    rng, share = RNG(seed), decay * (1 - decay) ** np.arange(LAGS)
    counts = np.zeros(days + LAGS)
    for day in range(LAGS, len(counts)):
        counts[day] = rng.poisson(base + radius * share @ counts[day - LAGS : day][::-1])
    return counts[LAGS:].astype(int)


def plain(counts, **more):
    return fit_counts(counts, delay="geometric", lags=LAGS, distribution="poisson", memory=np.inf, **more)


def test_the_radius_and_the_delay_of_daily_counts_are_found():
    found = [plain(daily(seed)) for seed in range(6)]
    assert np.mean([each.radius for each in found]) == pytest.approx(0.6, abs=0.05)
    shares = np.mean([each.offspring / each.radius for each in found], axis=0)
    assert shares @ np.arange(1, LAGS + 1) == pytest.approx(2.5, abs=0.4)
    assert found[0].offspring.sum() == pytest.approx(found[0].radius)
    assert found[0].summary().loc["mean delay", "estimate"] == pytest.approx(
        found[0].offspring @ np.arange(1, LAGS + 1) / found[0].radius
    )


def test_a_busy_week_raises_the_next_days_and_fades():
    quiet = daily(1)
    quiet[-7:] = 0
    busy = quiet.copy()
    busy[-3:] = 6
    fitted = plain(quiet)
    before = fitted.paths(20, 4000, RNG(1)).mean(axis=(0, 2))
    after = fitted.update(busy).paths(20, 4000, RNG(1)).mean(axis=(0, 2))
    assert after[0] > 4 * before[0]
    assert after[19] < 0.5 * after[0]


def test_units_excite_each_other_only_where_they_have_a_place():
    counts = np.stack([daily(seed, days=800) for seed in range(3)], axis=1)
    apart = plain(counts)
    assert apart.fitted.estimates.layout.spread == "none"
    together = plain(counts, latitude=[12, 12.5, 13], longitude=[-8, -8, -8])
    assert together.fitted.estimates.layout.spread == "exponential"
    assert together.paths(5, 100, RNG(1)).shape == (100, 5, 3)


def test_days_that_are_not_known_are_left_out():
    counts = daily(2)
    seen = RNG(3).random(len(counts)) > 0.3
    holes = np.where(seen, counts.astype(float), np.nan)
    found = plain(holes, observed=seen)
    assert found.radius == pytest.approx(0.6, abs=0.2)


def test_the_settings_are_those_of_the_family():
    family = fit_counts(daily(1, days=400), delay="power", lags=40, half_life=200, memory=90).fitted.family
    assert family == DiscreteHawkes(
        delay="power", lags=40, half_life_weeks=200, baseline_weeks=90, harmonics=0, spread="none"
    )


@pytest.mark.parametrize(
    ("counts", "more", "said"),
    [
        ([0.5, 1, 2], {}, "whole numbers"),
        ([-1, 1, 2], {}, "whole numbers"),
        ([np.nan, 1, 2], {}, "observed"),
        ([], {}, "shape"),
        (np.zeros((4, 2, 2), int), {}, "shape"),
        ([[1, 2], [0, 1]], {"latitude": [1.0], "longitude": [2.0]}, "one a unit"),
        ([[1, 2], [0, 1]], {"latitude": [120.0, 13.0], "longitude": [-8.0, -8.0]}, "1 of 2 points off the globe"),
        ([[1, 2], [0, 1]], {"latitude": [np.nan, 13.0], "longitude": [-8.0, -8.0]}, "off the globe"),
        ([[1, 2], [0, 1]], {"latitude": [12.0, 13.0]}, "latitude without longitude"),
        ([[1, 2], [0, 1]], {"longitude": [12.0, 13.0]}, "longitude without latitude"),
        ([1, 2, 3], {"lags": 1}, "lags"),
        ([1, 2, 3], {"delay": "sudden"}, "delay"),
    ],
)
def test_what_is_no_table_of_counts_is_refused(counts, more, said):
    with pytest.raises(InputError, match=said):
        fit_counts(np.array(counts), **more)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([0] * 200, "no event in the history"),
        ([1, 0], "1 events are too few"),
        (np.exp(np.linspace(0, 8, 200)).astype(int), "nearly explosive"),
    ],
)
def test_remarks_stand_beside_the_radius(counts, told):
    found = fit_counts(counts)
    assert any(told in remark for remark in found.remarks)
    assert repr(found).startswith(f"CountProcess(radius {found.radius:.2f} [")
    assert told in repr(found)
