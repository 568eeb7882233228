"""What ``import forecast as fc`` offers, for type checkers; `tests/api` holds it to ``_PUBLIC``."""

from forecast import plots as plots
from forecast import testing as testing
from forecast.api.backtest import Backtest as Backtest
from forecast.api.backtest import backtest as backtest
from forecast.api.calibrate import Calibrator as Calibrator
from forecast.api.calibrate import calibrate as calibrate
from forecast.api.combine import combine as combine
from forecast.api.data import datasets as datasets
from forecast.api.data import load as load
from forecast.api.data import outlines as outlines
from forecast.api.data import read_counts as read_counts
from forecast.api.forecast import Forecast as Forecast
from forecast.api.model import Fitted as Fitted
from forecast.api.model import Model as Model
from forecast.api.model import model as model
from forecast.api.model import models as models
from forecast.api.rules import above_recent as above_recent
from forecast.api.rules import any_event as any_event
from forecast.api.rules import at_least as at_least
from forecast.api.rules import increase as increase
from forecast.api.rules import record_high as record_high
from forecast.api.score import score as score
from forecast.api.sklearn import CountForecaster as CountForecaster
from forecast.errors import ForecastError as ForecastError
from forecast.errors import InputError as InputError
from forecast.panel.event_table import EventTable as EventTable
from forecast.panel.event_table import read_events as read_events
from forecast.panel.panel import Panel as Panel

__version__: str
