"""Which equal pools of models would have been best on target weeks before a date, so that later weeks can judge them.

Each model is forecast under the protocol of ``embedded_protocol.py`` on the targets from ``--first`` to ``--last``;
nothing after the last is read. CRPS and log score of every pool of two to ``--largest`` models follow exactly from what
each case keeps of them (`forecast.combination.evidence`). Prints the models and the best pools by both scores.

    python benchmarks/studies/choose_pool.py direct-endemic grid-filter tree-forest excited-hurdle
    python benchmarks/studies/choose_pool.py direct-endemic grid-filter --first 2017-01-01 --last 2019-12-31
"""

from __future__ import annotations

import argparse
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.combination.evidence import Evidence
from forecast.combination.pool import marginals
from forecast.families.model import ModelSpec, choose_models
from forecast.panel.dataset import Dataset
from forecast.panel.panel import Panel
from forecast.panel.weeks import WEEK
from forecast.provenance import generator
from forecast.workspace import open_workspace

sys.path.insert(0, str(Path(__file__).parent))
from embedded_protocol import COUNTRIES, HORIZON, ROOT

Floats = NDArray[np.float64]
DRAWS, REFIT, SEED, SHOWN = 300, 13, 1, 8


def main() -> None:
    """Forecast, pool, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["direct-endemic", "grid-filter", "discount-negbin"])
    parser.add_argument("--first", type=pd.Timestamp, default=pd.Timestamp("2013-01-01"))
    parser.add_argument("--last", type=pd.Timestamp, default=pd.Timestamp("2016-12-31"))
    parser.add_argument("--largest", type=int, default=5)
    chosen = parser.parse_args()
    models = choose_models(open_workspace(ROOT).catalogue, chosen.models, where="models")
    panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=COUNTRIES)
    past = evidence(models, panel.until(chosen.last + WEEK), chosen.first)
    print(table(past, chosen.models, chosen.largest).to_string())


def evidence(models: list[ModelSpec], panel: Panel, first: pd.Timestamp) -> Evidence:
    """Return what every target week from `first` to the end of the panel says of the models."""
    origins = panel.weeks[panel.weeks.searchsorted(first) - HORIZON + 1 :]
    every = [_forecasts(model, panel, origins) for model in models]
    parts = []
    for at, origin in enumerate(origins):
        start = panel.weeks.get_loc(origin)
        for h in range(HORIZON):
            if start + h >= len(panel.weeks) or panel.weeks[start + h] < first:
                continue
            pmf = [mine[at][h] for mine in every]
            k = max(each.shape[1] for each in pmf)
            seen = panel.observed[start + h]
            stack = np.stack([np.pad(each, ((0, 0), (0, k - each.shape[1]))) for each in pmf])
            parts.append(Evidence.of(stack[:, seen], panel.counts[start + h][seen]))
    return Evidence.joined(parts)


def _forecasts(model: ModelSpec, panel: Panel, origins: pd.DatetimeIndex) -> list[Floats]:
    """Return the marginals at each origin, shape (horizon, units, k)."""
    fitted, out = None, []
    for at, origin in enumerate(origins):
        known, day = panel.until(origin), f"{origin:%Y-%m-%d}"
        if fitted is None or at % REFIT == 0:
            fitted = model.fit(known, generator(SEED, "fit", model.name, day))
        fitted = fitted.update(known)
        out.append(marginals(fitted.predict(HORIZON, DRAWS, generator(SEED, model.name, day))))
    print(model.name, file=sys.stderr)
    return out


def table(past: Evidence, names: list[str], largest: int) -> pd.DataFrame:
    """Return mean scores of each model and of the best equal pools by either score."""
    rows = {}
    for size in range(1, min(largest, len(names)) + 1):
        for chosen in combinations(range(len(names)), size):
            weight = np.zeros(len(names))
            weight[list(chosen)] = 1 / size
            pool = " + ".join(names[at] for at in chosen)
            rows[pool] = {"models": size, "crps": past.crps(weight).mean(), "log": past.log_score(weight).mean()}
    found = pd.DataFrame(rows).T
    kept = {*found.nsmallest(SHOWN, "crps").index, *found.nsmallest(SHOWN, "log").index, *names}
    return found.loc[[name for name in found.index if name in kept]].sort_values("log").round(5)


if __name__ == "__main__":
    main()
