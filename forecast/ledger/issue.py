"""An issue: a forecast as it is written to the ledger, and as it is read from there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecast.ledger.chain import float_bytes, int_bytes, text_bytes
from forecast.ledger.marginals import Marginals
from forecast.provenance import hash_bytes

QUESTION_COLUMNS = ("unit_kind", "unit", "escalation", "level", "base_rate", "base_origins", "previous")
CHANCE_COLUMNS = ("model", "unit_kind", "unit", "escalation", "probability")


@dataclass(frozen=True)
class ModelVersion:
    """A model as it was specified: its name, the hash of its spec, and the spec as JSON."""

    name: str
    spec_hash: str
    spec: str


@dataclass(frozen=True)
class RuleVersion:
    """An escalation as it was defined: its name, the weeks that it looks ahead, and its definition as JSON."""

    name: str
    weeks: int
    definition: str


@dataclass(frozen=True)
class IssueHead:
    """What stands in the row of an issue.

    Parameters
    ----------
    workspace, report : str
        Whose forecast it is.
    origin : date
    revision : int
        1, or more if it was issued again.
    known_until : date
        Last day of the data.
    vintage : str
        Hash of the data that the models saw.
    settings : str
        Hash of models, escalations, seed and all else that was chosen.
    code, version : str
        Hash of the code on which a forecast can depend, and the version of the package.
    seed, horizon, draws : int
    headline : str
        The model that the report speaks for.
    manifest : str
        JSON: inputs and their hashes, versions of libraries, warnings, files.
    """

    workspace: str
    report: str
    origin: dt.date
    revision: int
    known_until: dt.date
    vintage: str
    settings: str
    code: str
    version: str
    seed: int
    horizon: int
    draws: int
    headline: str
    manifest: str


@dataclass(frozen=True, eq=False)
class Issue:
    """A forecast for real.

    Parameters
    ----------
    head : IssueHead
    models : tuple of ModelVersion
    rules : tuple of RuleVersion
    marginals : mapping of (model name, unit kind) to Marginals
    questions : DataFrame
        One row a unit and escalation, with the columns `QUESTION_COLUMNS`. ``level`` is what the sum of the weeks must
        reach; ``previous`` what the headline model said a week before. NaN where not known.
    chances : DataFrame
        One row a model, unit and escalation, with the columns `CHANCE_COLUMNS`.
    """

    head: IssueHead
    models: tuple[ModelVersion, ...]
    rules: tuple[RuleVersion, ...]
    marginals: Mapping[tuple[str, str], Marginals]
    questions: pd.DataFrame
    chances: pd.DataFrame

    def forecast_hash(self) -> str:
        """Return the hash of what was forecast, whenever and under whatever head."""
        said = [
            [[model.name, model.spec_hash, model.spec] for model in sorted(self.models, key=lambda model: model.name)],
            [[rule.name, rule.weeks, rule.definition] for rule in sorted(self.rules, key=lambda rule: rule.name)],
            [[*key, self.marginals[key].digest()] for key in sorted(self.marginals)],
        ]
        return hash_bytes(
            text_bytes(said),
            *table_bytes(self.questions, ("unit_kind", "unit", "escalation")),
            *table_bytes(self.chances, ("model", "unit_kind", "unit", "escalation")),
        )

    def content_hash(self) -> str:
        """Return the hash of all that the issue says."""
        return head_hash(self.head, self.forecast_hash())


def head_hash(head: IssueHead, forecast: str) -> str:
    """Return the hash of an issue from its head and the hash of its numbers."""
    row: dict[str, Any] = {**vars(head), "forecast": forecast}
    return hash_bytes(text_bytes({key: str(value) for key, value in row.items()}))


def table_bytes(table: pd.DataFrame, keys: Iterable[str]) -> list[bytes]:
    """Return a table as bytes, column by column, whatever the order of its rows.

    Parameters
    ----------
    table : DataFrame
    keys : iterable of str
        Columns of text, by which rows are sorted; all others hold numbers.

    Examples
    --------
    >>> table = pd.DataFrame({"unit": ["Gao", "Aguelhok"], "level": [1.0, None]})
    >>> table_bytes(table, ["unit"]) == table_bytes(table[::-1], ["unit"])
    True
    """
    names = list(keys)
    plain = table.astype(dict.fromkeys(names, object))
    ordered = plain.sort_values(names, kind="stable")
    parts = [text_bytes([names, [name for name in table.columns if name not in names]])]
    parts += [text_bytes([str(text) for text in ordered[name]]) for name in names]
    for name in table.columns:
        if name not in names:
            whole = ordered[name].dtype.kind in "iub"
            parts.append(int_bytes(ordered[name]) if whole else float_bytes(ordered[name].to_numpy("float64")))
    return parts
