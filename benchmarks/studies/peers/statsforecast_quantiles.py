"""Quantiles of models of statsforecast from many origins; runs in an environment of its own, see `general_toolkit`.

    python statsforecast_quantiles.py MODEL COUNTS.csv ORIGINS HORIZON OUT.npy

COUNTS is weeks x regions with a header. The last ORIGINS weeks are forecast, each with the weeks after it. Writes
quantiles of shape (origins, 100, horizon, regions) at the levels 0.005, 0.015, .. 0.995.
"""

import sys

import numpy as np
import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import ADIDA, IMAPA, AutoARIMA, AutoETS, CrostonSBA
from statsforecast.utils import ConformalIntervals

REFIT_EVERY = 13
WINDOWS = 26
CENTRAL = range(1, 100, 2)
"""Central intervals, in percent."""


def model_of(name: str, horizon: int) -> tuple[object, bool | int]:
    """Return a model and how often it is fitted: at every origin unless it can take up new weeks."""
    if name in ("AutoARIMA", "AutoETS"):
        return {"AutoARIMA": AutoARIMA, "AutoETS": AutoETS}[name](season_length=1, alias="model"), REFIT_EVERY
    intervals = ConformalIntervals(n_windows=WINDOWS, h=horizon)
    made = {"ADIDA": ADIDA, "IMAPA": IMAPA, "CrostonSBA": CrostonSBA}[name]
    return made(alias="model", prediction_intervals=intervals), True


def main() -> None:
    name, source, origins, horizon, target = sys.argv[1:]
    origins, horizon = int(origins), int(horizon)
    counts = pd.read_csv(source)
    # Weeks after the end stand in for targets that nobody knows; no cutoff lies among them, so that no model sees them.
    padded = np.vstack([counts.to_numpy(), np.zeros((horizon - 1, counts.shape[1]))])
    weeks, units = padded.shape
    table = pd.DataFrame(
        {
            "unique_id": np.repeat([f"u{at:06d}" for at in range(units)], weeks),
            "ds": np.tile(np.arange(weeks), units),
            "y": padded.T.ravel(),
        }
    )
    model, refit = model_of(name, horizon)
    found = StatsForecast(models=[model], freq=1, n_jobs=1).cross_validation(
        df=table, h=horizon, step_size=1, n_windows=origins, refit=refit, level=list(CENTRAL)
    )
    found = found.sort_values(["cutoff", "ds", "unique_id"])
    columns = [f"model-lo-{level}" for level in reversed(CENTRAL)] + [f"model-hi-{level}" for level in CENTRAL]
    values = found[columns].to_numpy().reshape(origins, horizon, units, len(columns))
    np.save(target, np.sort(values.transpose(0, 3, 1, 2), axis=1))


if __name__ == "__main__":
    main()
