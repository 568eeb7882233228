"""The backtests of a track record as plans: on the datasets that a workspace calibrates on, and on its own data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecast.errors import InputError
from forecast.evaluation.backtest import blocks_folder, plan_origins
from forecast.evaluation.blocks_ahead import BlocksAhead, blocks_ahead
from forecast.evaluation.plan import BacktestPlan
from forecast.evaluation.stopwatch import Stopwatch
from forecast.families.model import ModelSpec
from forecast.jobs.external_forecasts import ExternalForecasts
from forecast.jobs.inputs import FitPanels, Inputs, Panels, related_panels
from forecast.workspace import CONFIG_NAME, Workspace


def backtest_plan(
    workspace: Workspace,
    name: str,
    panels: Panels,
    models: Sequence[ModelSpec],
    fits: FitPanels,
    origins: pd.DatetimeIndex | None = None,
    *,
    inputs: Inputs | None = None,
    external: ExternalForecasts | None = None,
) -> BacktestPlan:
    """Return the workspace's protocol, applied to some panels.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Folder of the results.
    panels : mapping of unit kind to Panel
    models : sequence of ModelSpec
    fits : mapping of (dataset name, unit kind) to Panel
    origins : DatetimeIndex, optional
        The latest ones of the protocol if not given.
    inputs : Inputs, optional
        Those that the panels are from: where they tell what was known when, models see that and not the final data.
    external : ExternalForecasts, optional
        Members of the combination that are made elsewhere: their forecasts are of the workspace's own data.

    Raises
    ------
    InputError
        If the panels hold no origin.
    """
    protocol, combination = workspace.spec.backtest, workspace.spec.combination
    if origins is None:
        origins = plan_origins(panels["region"], origins=protocol.origins, first_after=protocol.first_after)
    return BacktestPlan(
        name=name,
        panels=panels,
        fit_panels=fits,
        models=tuple(models),
        escalations=workspace.spec.escalations,
        origins=origins,
        horizon=protocol.horizon,
        refit_every=protocol.refit_every,
        draws=protocol.draws,
        seed=protocol.seed,
        known=inputs.vintages if inputs else {},
        nowcast_weeks=inputs.nowcast_weeks if inputs else None,
        combination=combination if combination and {model.name for model in models} & {*combination.members} else None,
        # On other data they say nothing, but have a place among the members all the same.
        external={name: found if inputs else {} for name, found in external.by_name.items()} if external else {},
    )


@dataclass(frozen=True)
class TrackPlan:
    """A backtest of the track record, before it is known which models take part.

    Parameters
    ----------
    name : str
        Of the dataset.
    panels : mapping of unit kind to Panel
    folder, blocks : Path
        Of its record, and of its finished blocks.
    cut : bool
        Whether the data go on after the origin: blocks of the whole record are kept then.
    inputs : Inputs or None
        For the workspace's own data.
    """

    name: str
    panels: Panels
    folder: Path
    blocks: Path
    cut: bool
    inputs: Inputs | None

    def applied(
        self, workspace: Workspace, models: Sequence[ModelSpec], fits: FitPanels, external: ExternalForecasts | None
    ) -> tuple[BacktestPlan, Path]:
        """Return the plan for some models, and where its blocks are."""
        own = self.inputs
        plan = backtest_plan(workspace, self.name, self.panels, models, fits, inputs=own, external=external)
        return plan, self.blocks


def track_plans(workspace: Workspace, inputs: Inputs) -> list[TrackPlan]:
    """Return the backtests of a track record: on the datasets of ``calibrate_on``, then on the workspace's own data."""
    origin, backtests = inputs.regions.origin, workspace.out / "backtests"

    def planned(name: str, panels: Panels, own: Inputs | None, cut: bool) -> TrackPlan:
        folder = backtests / (f"{name}-{origin:%Y-%m-%d}" if cut else name)
        return TrackPlan(name, panels, folder, blocks_folder(backtests / name), cut, own)

    plans = []
    for name in workspace.spec.data.calibrate_on:
        panels = related_panels(workspace, name, inputs.panels)
        if "region" not in panels:
            raise InputError(
                f"dataset {name!r} has none of the countries of the workspace",
                where=f"{CONFIG_NAME} [data] calibrate_on",
                expected=f"one with {', '.join(sorted(set(inputs.regions.units.groups)))}",
            )
        # A record of what came after the origin would tell what nobody could know then.
        known = {kind: panel.until(origin) for kind, panel in panels.items()}
        plans.append(planned(name, known, None, origin < panels["region"].origin))
    return [*plans, planned(inputs.name, inputs.panels, inputs, inputs.cut)]


@contextmanager
def track_record_ahead(
    workspace: Workspace,
    inputs: Inputs,
    models: Sequence[ModelSpec],
    fits: FitPanels,
    *,
    external: ExternalForecasts | None = None,
    workers: int = 2,
    watch: Stopwatch | None = None,
) -> Iterator[BlocksAhead]:
    """Begin with the blocks of `track_record`, which takes the same arguments; other work can be done meanwhile.

    `watch` is told what they cost.
    """
    plans = [each.applied(workspace, models, fits, external) for each in track_plans(workspace, inputs)]
    with blocks_ahead(plans, workers, watch) as ahead:
        yield ahead
