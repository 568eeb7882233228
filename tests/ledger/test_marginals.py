"""Packed distributions come out as they went in, and score as the forecast that they are from."""

from __future__ import annotations

import zlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import ForecastError
from forecast.evaluation.scores import SCORES, score_forecast
from forecast.ledger.marginals import Marginals
from forecast.panel.units import Units
from forecast.predictive.forecast import Forecast, pmf_of_paths

ORIGIN = pd.Timestamp("2026-01-03")


def forecast_of(seed, horizon=3, units=4, draws=40, head=None):
    rng = np.random.default_rng(seed)
    paths = rng.negative_binomial(1, 0.2, (draws, horizon, units)).astype(np.int32)
    weeks = pd.date_range(ORIGIN, periods=horizon, freq="7D")
    return Forecast(paths, pmf_of_paths(paths)[..., :head], weeks, Units.of([f"R{at}" for at in range(units)]))


@given(seed=st.integers(0, 999), head=st.sampled_from([None, 1, 3, 12]), largest=st.sampled_from([3, 60]))
def test_scores_after_packing_are_those_before(seed, head, largest):
    found = forecast_of(seed, head=head)
    observed = np.random.default_rng(seed).integers(0, largest, (3, 4))
    packed = Marginals.unpack(Marginals.of(found).pack())
    expected = score_forecast(found, observed)
    again = score_forecast(packed.forecast(ORIGIN, "region"), observed, packed.quantiles)
    for name in SCORES:
        np.testing.assert_allclose(again[name], expected[name], rtol=0, atol=1e-12)


def test_the_frame_is_that_of_the_forecast():
    found = forecast_of(1)
    frame = Marginals.of(found).frame(ORIGIN, "region")
    levels = [float(name[1:]) for name in frame if name.startswith("q")]
    expected = found.to_frame(levels)
    pd.testing.assert_frame_equal(frame[list(expected.columns)], expected, check_dtype=False)
    np.testing.assert_array_equal(frame["p0"], found.pmf[..., 0].ravel())


def test_the_digest_is_of_the_numbers_alone():
    marginals = Marginals.of(forecast_of(1))
    assert Marginals.unpack(marginals.pack()).digest() == marginals.digest()
    assert Marginals.of(forecast_of(2)).digest() != marginals.digest()


def test_damage_is_found():
    packed = Marginals.of(forecast_of(1)).pack()
    for broken in (packed[:-3], b"", b"\0" * 40, zlib.compress(b"\xff" * 50), zlib.compress(b"\2\0\0\0{}")):
        with pytest.raises(ForecastError, match="a packed forecast of the ledger is damaged"):
            Marginals.unpack(broken)


def test_a_row_that_explodes_is_refused(monkeypatch):
    monkeypatch.setattr("forecast.ledger.marginals._LARGEST", 1000)
    with pytest.raises(ForecastError, match="not of the size of a forecast"):
        Marginals.unpack(zlib.compress(b"\0" * 5000))
