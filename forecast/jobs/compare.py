"""The comparison of the models of a record: its tables, and its page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from forecast.errors import InputError, unknown_name
from forecast.evaluation.backtest import MANIFEST, read_record
from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.record_comparison import LOSSES, Loss, RecordComparison, compare_record
from forecast.evaluation.record_decisions import Decisions, record_decisions
from forecast.evaluation.record_murphy import record_murphy
from forecast.jobs.inputs import open_inputs
from forecast.panel.dataset import Dataset
from forecast.panel.units import UnitKind, Units
from forecast.predictive.escalation import Escalation
from forecast.provenance import versions
from forecast.reporting.comparison_page import ComparisonContent, render_comparison
from forecast.storage import check_writable, folder_in_progress
from forecast.workspace import Workspace

UNIT_KINDS: tuple[UnitKind, ...] = ("region", "place")

_RULES = TypeAdapter(tuple[Escalation, ...])


@dataclass(frozen=True)
class ComparedRecord:
    """A record, its models compared, and where the page is.

    Parameters
    ----------
    record : BacktestRecord
    comparison : RecordComparison
    escalations : tuple of Escalation
        Those of the record.
    seed : int
    simulated : bool
    page : Path
    """

    record: BacktestRecord
    comparison: RecordComparison
    escalations: tuple[Escalation, ...]
    seed: int
    simulated: bool
    page: Path

    def decisions(self) -> Decisions:
        """Return what the probabilities of each model would have been worth; takes a second for two models."""
        found = self.comparison
        return record_decisions(self.record, found.models, self.escalations, unit_kind=found.unit_kind, seed=self.seed)

    def murphy(self) -> Any:
        """Return the Murphy diagrams, as `forecast.evaluation.record_murphy.record_murphy`."""
        found = self.comparison
        names = [rule.name for rule in self.escalations]
        return record_murphy(self.record, found.models, names, unit_kind=found.unit_kind)


def compare_workspace(
    workspace: Workspace,
    *,
    data: str | None = None,
    name: str | None = None,
    models: Sequence[str] = (),
    reference: str | None = None,
    score: str = "crps",
    units: str = "region",
) -> ComparedRecord:
    """Compare the models of a record of the workspace, and write the page ``out/comparisons/<record>/index.html``.

    Parameters
    ----------
    workspace : Workspace
    data : str, optional
        The record on another dataset.
    name : str, optional
        A record of ``out/backtests/``; that of the dataset if not given.
    models : sequence of str
        All of the record if empty.
    reference : str, optional
        The model that the others are held against; the headline model if it is in the record, otherwise the best
        climatology.
    score : {"crps", "log", "wis"}
    units : {"region", "place"}

    Raises
    ------
    InputError
        If there is no such record yet, or it does not hold what is asked for.
    """
    if score not in LOSSES:
        raise unknown_name("score", score, LOSSES, where="--score")
    if units not in UNIT_KINDS:
        raise unknown_name("kind of unit", units, UNIT_KINDS, where="--units")
    chosen = _record_name(workspace, data, name)
    record = read_record(workspace.out / "backtests" / chosen)
    folder = workspace.out / "comparisons" / chosen
    check_writable(folder)
    manifest = json.loads((workspace.out / "backtests" / chosen / MANIFEST).read_bytes())
    usual = _usual(manifest["models"])
    seed = int(manifest["seed"])
    compared = compare_record(
        record,
        reference or _default_reference(workspace, record, usual),
        usual=usual,
        models=models,
        score=_loss(score),
        unit_kind=_kind(units),
        seed=seed,
    )
    simulated = any(panel["simulated"] for panel in manifest["panels"].values())
    rules = _RULES.validate_python(manifest["escalations"])
    found = ComparedRecord(record, compared, rules, seed, simulated, folder / "index.html")
    polygons, unit_table = _geography(workspace, data or chosen, compared)
    page = render_comparison(
        ComparisonContent(
            workspace=workspace.spec.title,
            source=record.source,
            comparison=compared,
            murphy=found.murphy(),
            model_titles={model["name"]: model["title"] for model in manifest["models"]},
            escalations=rules,
            polygons=polygons,
            units=unit_table,
            simulated=simulated,
            provenance={
                "record": chosen,
                "known": record.known_as,
                "seed": seed,
                "versions": versions(),
                "inputs": dict(sorted(manifest["files"].items())),
            },
        )
    )
    with folder_in_progress(folder) as work:
        (work / "index.html").write_text(page, encoding="utf-8", newline="\n")
    return found


def _record_name(workspace: Workspace, data: str | None, name: str | None) -> str:
    """Return the record that is meant, if it is there."""
    backtests, spec = workspace.out / "backtests", workspace.spec.data
    own = str(spec.store or spec.set or Path(str(spec.table)).stem)
    known = sorted(path.parent.name for path in backtests.glob(f"*/{MANIFEST}") if not path.parent.name.startswith("."))
    chosen = name or data or own
    if chosen in known:
        return chosen
    if name is not None and known:
        raise unknown_name("record", name, known, where="--name")
    if data is not None and data != own:
        sets = sorted(path.parent.name for path in (workspace.root / "data").glob("*/datapackage.json"))
        if data not in sets:
            raise unknown_name("dataset", data, sets, where="--data")
    options = f" --data {data}" if data not in {None, own} else ""
    raise InputError(
        f"no record {chosen!r} yet",
        where=str(backtests),
        expected="the forecasts of a backtest",
        hint=f"`forecast backtest{options}` first" + ("" if options or name else ", or `forecast run`"),
    )


def _usual(models: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the models that anybody would try first."""
    families = {"zero": "zero", "best climatology": "climatology"}
    return {
        label: [model["name"] for model in models if model["family"] == family] for label, family in families.items()
    }


def _default_reference(workspace: Workspace, record: BacktestRecord, usual: Mapping[str, Sequence[str]]) -> str:
    ranked = [str(model) for model in record.leaderboard["model"]]
    if workspace.spec.models.headline in ranked:
        return workspace.spec.models.headline
    return next((model for model in ranked if model in usual["best climatology"]), ranked[0])


def _geography(
    workspace: Workspace, dataset: str, found: RecordComparison
) -> tuple[Mapping[str, Mapping[str, Any]], Units]:
    """Return outlines and units of what was forecast, as far as the workspace or the dataset knows them."""
    names = [str(label) for label in found.where["label"]]
    inputs = open_inputs(workspace)
    known = inputs.panels.get(found.unit_kind)
    if known is not None and set(names) <= set(known.units.names):
        return inputs.polygons, known.units.take([known.units.index(name) for name in names])
    polygons: Mapping[str, Mapping[str, Any]] = {}
    if found.unit_kind == "region" and (workspace.data_folder(dataset) / "datapackage.json").exists():
        polygons = Dataset.open(workspace.data_folder(dataset)).polygons()
    groups = [name.partition("/")[0] if "/" in name else "" for name in names]
    return polygons, Units.of(names, kind=found.unit_kind, groups=groups)


def _loss(score: str) -> Loss:
    return next(loss for loss in LOSSES if loss == score)


def _kind(units: str) -> UnitKind:
    return next(kind for kind in UNIT_KINDS if kind == units)
