"""The family keeps the contract, and its level is the mean that it says it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from forecast_ewma import Ewma

import forecast as fc
from forecast.testing import CHECKS, check_family


def test_it_keeps_the_contract():
    check_family("ewma")


def test_there_is_something_to_keep():
    assert len(CHECKS) > 20


def test_the_level_is_the_weighted_mean():
    weeks = pd.date_range("2026-01-03", periods=3, freq="7D")
    panel = fc.read_counts(pd.DataFrame({"Gao": [4, 0, 2], "Kayes": [0, 0, 0]}, index=weeks))
    level = Ewma(half_life=1, prior_weeks=1).fit(panel, np.random.default_rng(1)).level()
    everywhere = (0.25 * 4 + 2 + 0.5) / (2 * 1.75 + 2)
    assert level == pytest.approx([(0.25 * 4 + 2 + everywhere) / 2.75, everywhere / 2.75])
