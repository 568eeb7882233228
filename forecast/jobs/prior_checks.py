"""What the priors of a run's models say before they see a count."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecast.families.model import ModelSpec
from forecast.jobs.inputs import FitPanels
from forecast.panel.panel import Panel
from forecast.provenance import generator


def prior_checks(models: Sequence[ModelSpec], panel: Panel, fits: FitPanels, seed: int) -> dict[str, pd.DataFrame]:
    """Compare the counts of the regions that each model is fitted on with counts that its priors alone make.

    Parameters
    ----------
    models : sequence of ModelSpec
    panel : Panel
        Of the regions, up to the origin.
    fits : mapping of (dataset name, unit kind) to Panel
        From `forecast.jobs.inputs.fit_panels`.
    seed : int
        Of the workspace.

    Returns
    -------
    dict of str to DataFrame
        By name of the model, those with priors alone; as `Family.prior_check` returns them.
    """
    kind, found = panel.units.kind, {}
    for model in models:
        fit_panel = fits.get((model.fit_on, kind), panel) if model.fit_on else panel
        rng = generator(seed, "prior", model.name, kind, f"{panel.origin:%Y-%m-%d}")
        table = model.build().prior_check(model.fitted_weeks(fit_panel.until(panel.origin)), rng)
        if table is not None:
            found[model.name] = table
    return found
