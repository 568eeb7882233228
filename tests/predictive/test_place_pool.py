"""The pool of models of one place, and the record of its past."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.predictive.odds_map import OddsMap
from forecast.predictive.place_pool import FLOOR, View, mean_odds, pooled
from forecast.predictive.place_record import PastView, past_scores, spans, usual


def test_models_weigh_the_same_however_many_draws_they_gave():
    many, few = View("a", "a", 0.0, 0.0, np.zeros(900, int)), View("b", "b", 1.0, 5.0, np.full(10, 5))
    found = pooled([many, few])
    assert found.probability == pytest.approx(0.5)
    assert (found.mean, found.low, found.high) == pytest.approx((2.5, 0.0, 1.0))
    assert (found.count_low, found.count_high) == (0, 5)


@pytest.mark.parametrize("past", [None, OddsMap(0.8, 0.1, np.diag([0.01, 0.04])), OddsMap(1.0, 3.0, np.zeros((2, 2)))])
@pytest.mark.parametrize("said", [(0.91, 0.92), (0.0, 0.0), (1.0, 1.0), (0.002, 0.4), (0.3, 0.3)])
def test_what_is_said_lies_in_its_range_and_is_of_one_distribution(past, said):
    rng = np.random.default_rng(1)
    views = [
        View(name, name, p, -np.log1p(-min(p, 0.999)), rng.binomial(3, p, 200))
        for name, p in zip("ab", said, strict=True)
    ]
    found = pooled(views, past)
    assert found.low <= found.probability <= found.high
    assert found.probability <= found.mean
    assert (found.count_low > 0) == (found.probability > 0.9)
    assert (found.count_high > 0) == (found.probability > 0.1)


def test_recalibration_changes_how_probable_an_event_is_and_not_how_many_come():
    view = View("a", "a", 0.5, 1.5, np.array([0, 3]))
    found = pooled([view], OddsMap(1.0, 1.0, np.zeros((2, 2))))
    assert found.mean / found.probability == pytest.approx(3.0)
    assert (found.low, found.high) == pytest.approx((found.probability, found.probability))


def test_odds_are_averaged_and_nobody_is_sure():
    said = np.array([[0.2, 0.0, np.nan], [0.8, 0.0, np.nan], [0.5, np.nan, np.nan]])
    found = mean_odds(said)
    assert found[:2] == pytest.approx([0.5, FLOOR])
    assert np.isnan(found[2])


def test_no_model_is_refused():
    with pytest.raises(InputError, match="no model"):
        pooled([])


def test_spans_and_what_is_usual():
    counts, observed = np.array([0, 0, 3, 0, 0]), np.ones(5, bool)
    assert spans(counts, observed, 2).tolist() == [0, 3, 3, 0]
    assert len(spans(counts, observed, 6)) == 0
    assert np.isnan(usual(spans(counts, observed, 2), 104))  # fewer than 13 spans
    assert usual(np.r_[np.ones(50), np.zeros(50)], 50) == 0
    assert usual(np.r_[np.full(20, np.nan), np.ones(13)], 104) == 1


def test_scores_are_of_every_origin_whose_outcome_is_known():
    """The first origins of a short record have no base rate yet: they count, but not where it is compared with."""
    no_base = PastView("2026-01-03", 0.9, 0.8, 1.0, {}, float("nan"), 0)
    known = PastView("2026-01-10", 0.5, 0.4, 0.6, {}, 0.1, 2, calibrated=0.7)
    found = past_scores([no_base, known, PastView("2026-01-17", 0.9, 0.8, 1.0, {}, 0.1, None)])
    assert (found.origins, found.first, found.last) == (2, "2026-01-03", "2026-01-10")
    assert (found.said, found.came) == pytest.approx((0.7, 0.5))
    assert (found.brier, found.brier_calibrated) == pytest.approx(((0.81 + 0.25) / 2, (0.81 + 0.09) / 2))
    assert (found.compared, found.brier_compared, found.brier_usual) == pytest.approx((1, 0.25, 0.81))
    assert np.isnan(past_scores([no_base]).brier_usual)
    assert past_scores([PastView("2026-01-10", 0.9, 0.8, 1.0, {}, 0.1, None)]) is None
