"""Charts of tidy frames in one look: Plotly figures, and the same drawn by matplotlib.

Each function takes a frame with named columns and returns a figure: ``backend="plotly"`` or ``"matplotlib"``,
``theme="light"`` or ``"dark"``. Bad frames raise `forecast.errors.InputError`, which names the column. Words are in the
language spoken (`forecast.language.speaking`). `docs/gallery.md` shows them all.

Examples
--------
>>> import pandas as pd
>>> from forecast import plots
>>> bars = pd.DataFrame({"left": [0, 0.5], "right": [0.5, 1], "density": [0.9, 1.1]})
>>> plots.pit(bars, backend="matplotlib", theme="dark").get_dpi()
144
"""

from forecast.plots.charts.calendar import calendar
from forecast.plots.charts.component_shares import component_shares
from forecast.plots.charts.excitation_kernel import excitation_kernel
from forecast.plots.charts.fan import fan
from forecast.plots.charts.pit import pit
from forecast.plots.charts.reliability import reliability
from forecast.plots.charts.ridge import ridge
from forecast.plots.charts.risk_map import risk_map
from forecast.plots.charts.skill_by_horizon import skill_by_horizon
from forecast.plots.charts.small_multiples import small_multiples
from forecast.plots.charts.track_record import track_record

__all__ = [
    "calendar",
    "component_shares",
    "excitation_kernel",
    "fan",
    "pit",
    "reliability",
    "ridge",
    "risk_map",
    "skill_by_horizon",
    "small_multiples",
    "track_record",
]
