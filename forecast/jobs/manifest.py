"""Where a forecast comes from: the manifest of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.step_table import step_manifest
from forecast.families.model import ModelSpec
from forecast.jobs.findings import DataFindings
from forecast.jobs.inputs import FitPanels, Inputs
from forecast.jobs.track_record import TrackRecord
from forecast.panel.dataset import Dataset
from forecast.provenance import hash_files, hash_json, versions
from forecast.workspace import CONFIG_NAME, ReportSpec, Workspace


def run_manifest(
    workspace: Workspace,
    definition: ReportSpec,
    inputs: Inputs,
    models: Sequence[ModelSpec],
    fits: FitPanels,
    track: TrackRecord,
    warnings: Sequence[str],
    found: DataFindings,
) -> dict[str, Any]:
    """Return what a forecast was made from: files, versions, settings; neither the clock nor the machine is in it."""
    root, spec = workspace.root, workspace.spec
    own = [root / CONFIG_NAME, root / "reports" / f"{definition.name}.toml"]
    own += [root / "models" / f"{model.name}.toml" for model in models]
    hashes = {**hash_files(own, root), **inputs.hashes}
    for name in sorted({*spec.data.calibrate_on, *(dataset for dataset, _ in fits)}):
        files = Dataset.open(workspace.data_folder(name)).hashes()
        hashes |= {f"data/{name}/{path}": digest for path, digest in files.items()}
    return {
        "report": definition.name,
        "workspace": spec.title,
        "origin": f"{inputs.regions.origin:%Y-%m-%d}",
        "known_until": f"{inputs.regions.known_until:%Y-%m-%d}",
        "data": {
            "name": inputs.name,
            "title": inputs.note.title,
            "vintage": inputs.note.vintage,
            "preliminary": inputs.note.preliminary,
            "simulated": inputs.simulated,
        },
        "horizon": spec.report.horizon,
        "draws": spec.report.draws,
        "seed": spec.backtest.seed,
        "headline_model": spec.models.headline,
        "models": {model.name: hash_json(model.model_dump(mode="json")) for model in models},
        **_combination(workspace, track),
        "backtests": {record.name: _origins(record) for record in track.records},
        "warnings": list(warnings),
        "findings": found.entries(),
        "versions": versions(),
        "inputs": dict(sorted(hashes.items())),
    }


def _combination(workspace: Workspace, track: TrackRecord) -> dict[str, Any]:
    combination = workspace.spec.combination
    if combination is None or not track.combined:
        return {}
    steps = step_manifest(track.combined, workspace.spec.escalations)
    return {"combination": combination.model_dump(mode="json") | {"steps": steps}}


def _origins(record: BacktestRecord) -> dict[str, Any]:
    origins = record.forecasts["origin"]
    return {
        "origins": int(origins.nunique()),
        "first": f"{origins.min():%Y-%m-%d}",
        "last": f"{origins.max():%Y-%m-%d}",
        "known_as": record.known_as,
        "models": list(record.leaderboard["model"]),
    }
