"""Calibrated weekly forecasts of political violence per region and town.

``import forecast as fc`` gives analysts and notebooks what they need by short names. What each name is imported from
is told in ``_PUBLIC``, for type checkers in ``__init__.pyi``; it is imported when it is first used, so that importing
the package costs nothing.

Examples
--------
>>> import forecast as fc
>>> panel = fc.load("west-africa-weekly", countries=["Mali"]).until("2019-01-05")
>>> ahead = fc.model("discount-negbin").fit(panel).predict(4)
>>> rule = fc.at_least(5, weeks=4)
>>> ahead.probability(rule).sort_values().tail(1).index.tolist()
['Mali/Mopti']
"""

from importlib import import_module

__version__ = "0.1.0"

_PUBLIC = {
    # data
    "datasets": "forecast.api.data",
    "load": "forecast.api.data",
    "outlines": "forecast.api.data",
    "read_counts": "forecast.api.data",
    "read_events": "forecast.panel.event_table",
    "EventTable": "forecast.panel.event_table",
    "Panel": "forecast.panel.panel",
    # models and forecasts
    "models": "forecast.api.model",
    "model": "forecast.api.model",
    "Model": "forecast.api.model",
    "Fitted": "forecast.api.model",
    "Forecast": "forecast.api.forecast",
    # escalations
    "any_event": "forecast.api.rules",
    "at_least": "forecast.api.rules",
    "above_recent": "forecast.api.rules",
    "increase": "forecast.api.rules",
    "record_high": "forecast.api.rules",
    # evaluation
    "backtest": "forecast.api.backtest",
    "Backtest": "forecast.api.backtest",
    "score": "forecast.api.score",
    "calibrate": "forecast.api.calibrate",
    "Calibrator": "forecast.api.calibrate",
    "combine": "forecast.api.combine",
    # other libraries
    "CountForecaster": "forecast.api.sklearn",
    # what went wrong
    "InputError": "forecast.errors",
    "ForecastError": "forecast.errors",
}
"""Public names, and the module of each."""
_MODULES = ("plots", "testing")
"""Public modules."""

__all__ = ["__version__", *_PUBLIC, *_MODULES]  # noqa: PLE0604 - names from a dict, which the linter cannot read


def __getattr__(name: str) -> object:
    if name in _PUBLIC:
        found = getattr(import_module(_PUBLIC[name]), name)
        globals()[name] = found
        return found
    if name in _MODULES:
        return import_module(f"forecast.{name}")
    raise AttributeError(f"module 'forecast' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
