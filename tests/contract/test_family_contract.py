"""What holds for every family and every model of the catalogue; the checks are those of `forecast.testing`."""

from __future__ import annotations

import pytest

from forecast.testing.contract import (
    CHECKS,
    panel_at_the_edge_gives_a_sensible_forecast,
    panels_at_the_edge_give_sensible_forecasts,
)
from forecast.testing.panels import EDGES


@pytest.mark.parametrize(
    "check",
    [check for check in CHECKS if check is not panels_at_the_edge_give_sensible_forecasts],
    ids=lambda check: check.__name__,
)
def test_contract(spec, check):
    check(spec)


@pytest.mark.parametrize("name", EDGES)
def test_a_panel_at_the_edge_gives_a_sensible_forecast(spec, name):
    panel_at_the_edge_gives_a_sensible_forecast(spec, name)
