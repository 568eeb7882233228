"""How a delivery failed: surely, so that it may be tried again, or so that nobody knows whether it arrived."""

from __future__ import annotations

from forecast.errors import ForecastError


class NotDeliveredError(ForecastError):
    """Nothing has arrived; it may be tried again."""


class UnsureError(ForecastError):
    """It may have arrived: the connection broke after all was sent. Trying again could deliver it twice."""
