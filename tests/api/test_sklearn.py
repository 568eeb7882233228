"""Count models within the searches and splitters of scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score

import forecast as fc


@pytest.fixture(scope="module")
def panel():
    return fc.load("west-africa-weekly", countries=["Mali"])


@pytest.fixture(scope="module")
def counts(panel):
    return panel.to_frame().tail(200)


def test_parameters_are_flat_and_clones_have_them(panel):
    made = fc.CountForecaster("window_negbin", like=panel, weeks=26)
    assert made.get_params() == {"family": "window_negbin", "like": panel, "draws": 500, "seed": 1, "weeks": 26}
    other = clone(made).set_params(weeks=13, draws=100)
    assert other.get_params()["weeks"] == 13
    assert made.get_params()["weeks"] == 26


def test_a_search_finds_the_window_with_the_lower_crps(counts):
    splits = TimeSeriesSplit(5, test_size=8)
    search = GridSearchCV(fc.CountForecaster("window_negbin", draws=200), {"weeks": [4, 52]}, cv=splits).fit(counts)
    single = {
        weeks: cross_val_score(fc.CountForecaster("window_negbin", draws=200, weeks=weeks), counts, cv=splits).mean()
        for weeks in (4, 52)
    }
    assert search.best_params_["weeks"] == max(single, key=single.get)
    np.testing.assert_allclose(search.best_score_, max(single.values()))
    assert search.best_score_ < 0
    ahead = pd.DataFrame(index=pd.date_range("2019-12-28", periods=4, freq="7D"))
    assert search.predict(ahead).shape == (4, 9)


def test_a_score_is_that_of_the_forecast(panel, counts):
    train, test = counts.iloc[:-8], counts.iloc[-8:]
    made = fc.CountForecaster("window_negbin", weeks=26, draws=1000).fit(train)
    ahead = fc.Model("window_negbin", weeks=26).fit(fc.read_counts(train)).predict(8)
    expected = fc.score(ahead, fc.read_counts(counts))["crps"].mean()
    assert made.score(test) == pytest.approx(-expected)
    assert made.forecast(8).paths.tobytes() == ahead.paths.tobytes()
    np.testing.assert_allclose(made.predict(test), ahead.mean())


def test_neighbours_come_from_a_panel(panel, counts):
    made = fc.CountForecaster("discount_negbin", like=panel).fit(counts)
    assert made.fitted_.panel.neighbours.same_borders(panel.neighbours)


def test_what_is_not_right_after_is_refused(counts):
    made = fc.CountForecaster("window_negbin").fit(counts.iloc[:-20])
    with pytest.raises(fc.InputError, match="right after"):
        made.score(counts.iloc[-8:])


def test_not_fitted(counts):
    with pytest.raises(NotFittedError):
        fc.CountForecaster("window_negbin").predict(counts)


def test_an_unknown_setting_is_told(counts):
    with pytest.raises(fc.InputError, match="known keys: pool, weeks"):
        fc.CountForecaster("window_negbin", week=3).fit(counts)
