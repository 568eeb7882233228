"""From the results of a run to what the ledger keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import forecast
from forecast.evaluation.blocks import code_hash, delay_hash
from forecast.jobs.inputs import Inputs, related_panels
from forecast.jobs.preparation import Preparation
from forecast.ledger.chain import text_bytes
from forecast.ledger.issue import CHANCE_COLUMNS, QUESTION_COLUMNS, Issue, IssueHead, ModelVersion, RuleVersion
from forecast.ledger.marginals import Marginals
from forecast.panel.panel_hash import panel_hash
from forecast.provenance import hash_json
from forecast.reporting.content import ReportContent
from forecast.workspace import Workspace


def ledger_name(workspace: Workspace) -> str:
    """Return the name under which the issues of a workspace stand in the ledger."""
    return workspace.spec.ledger.workspace or workspace.spec.title


def counts_hash(inputs: Inputs) -> str:
    """Return the hash of the counts that are known: the vintage of a settlement."""
    return hash_json({kind: panel_hash(panel) for kind, panel in inputs.panels.items()})


def vintage_hash(ready: Preparation) -> str:
    """Return the hash of all data that the models of a run see: the vintage of an issue.

    Weeks after the origin are not in it, so that a file that has grown since gives the same.
    """
    inputs, origin, workspace = ready.inputs, ready.origin, ready.workspace
    delays = {kind: inputs.delay(kind, origin) for kind in inputs.panels}
    return hash_json(
        {
            "counts": counts_hash(inputs),
            "fits": {f"{name} {kind}": panel_hash(panel.until(origin)) for (name, kind), panel in ready.fits.items()},
            "delays": {kind: delay_hash(delay) for kind, delay in delays.items() if delay is not None},
            "learned_from": {
                f"{name} {kind}": panel_hash(panel.until(origin))
                for name in (workspace.spec.data.calibrate_on if workspace.spec.combination else ())
                for kind, panel in related_panels(workspace, name, inputs.panels).items()
            },
        }
    )


def settings_hash(ready: Preparation) -> str:
    """Return the hash of all that was chosen and can change a forecast: models, escalations, seed, draws.

    Where the combined forecast learns from the track record, the protocol of that is among it.
    """
    spec = ready.workspace.spec
    combination = spec.combination.model_dump(mode="json", exclude={"title"}) if spec.combination else None
    return hash_json(
        {
            "models": [model.model_dump(mode="json", exclude={"title", "method"}) for model in ready.models],
            "headline": spec.models.headline,
            "combination": combination,
            "backtest": spec.backtest.model_dump(mode="json") if combination else None,
            "escalations": [rule.model_dump(mode="json") for rule in spec.escalations],
            "horizon": spec.report.horizon,
            "draws": spec.report.draws,
            "seed": spec.backtest.seed,
        }
    )


def issue_of(ready: Preparation, content: ReportContent, files: Mapping[str, str], revision: int) -> Issue:
    """Return what the ledger keeps of a run.

    Parameters
    ----------
    ready : Preparation
    content : ReportContent
        What its report shows.
    files : mapping of file name to hash
        That were published.
    revision : int
        1 for the first issue of an origin.
    """
    spec = ready.workspace.spec
    manifest: dict[str, Any] = {**content.provenance, "files": dict(files)}
    manifest.pop("core_seconds", None)  # what the run cost is no part of what it said
    head = IssueHead(
        workspace=ledger_name(ready.workspace),
        report=ready.definition.name,
        origin=ready.origin.date(),
        revision=revision,
        known_until=ready.inputs.regions.known_until.date(),
        vintage=vintage_hash(ready),
        settings=settings_hash(ready),
        code=code_hash(),
        version=forecast.__version__,
        seed=spec.backtest.seed,
        horizon=spec.report.horizon,
        draws=spec.report.draws,
        headline=content.headline_model,
        manifest=text_bytes(manifest).decode(),
    )
    dumps = {model.name: model.model_dump(mode="json") for model in content.models}
    models = tuple(ModelVersion(name, hash_json(spec), text_bytes(spec).decode()) for name, spec in dumps.items())
    rules = tuple(
        RuleVersion(rule.name, rule.weeks, text_bytes(rule.model_dump(mode="json")).decode())
        for rule in content.escalations
    )
    marginals = {
        (model, str(kind)): Marginals.of(found)
        for kind, by_model in content.forecasts.items()
        for model, found in by_model.items()
    }
    risk = content.risk
    asked = risk.loc[risk["model"] == content.headline_model, list(QUESTION_COLUMNS)].reset_index(drop=True)
    asked = asked.astype({"base_origins": np.int64, "level": np.float64, "base_rate": np.float64})
    return Issue(head, models, rules, marginals, asked, risk[list(CHANCE_COLUMNS)].reset_index(drop=True))
