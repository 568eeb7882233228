"""Choose the settings of a model on target weeks before a date, so that later weeks can judge them.

Each choice is back-tested under the protocol of ``embedded_protocol.py`` on the targets from ``--first`` to ``--last``;
nothing after the last is read. The grid ``grids/<model>.toml`` names the values of each setting; a setting
that the model's spec does not name stands at the default of its family. One setting is moved at a time from there
(``--product`` tries all combinations). The first row is the spec as it stands; ``gain`` is by how much the mean score
is lower than there, with a 90 % interval by a block bootstrap of 13 weeks. The best choice is taken if its interval
lies above 0, otherwise the spec stays as it is. Prints the table and writes ``results/choose_<model>.csv``.

    python benchmarks/studies/choose_settings.py direct-endemic --last 2016-12-31
    python benchmarks/studies/choose_settings.py direct-endemic --countries all --only harmonics --results out
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from forecast.config import parse, read_toml
from forecast.errors import ForecastError, unknown_name
from forecast.evaluation.resampling import block_bootstrap
from forecast.families.model import ModelSpec, choose_models
from forecast.provenance import generator
from forecast.workspace import open_workspace

sys.path.insert(0, str(Path(__file__).parent))
from embedded_protocol import COUNTRIES, ROOT, Targets, named_countries, protocol, summary, target_scores

GRIDS = Path(__file__).parent / "grids"
REPLICATES = 2000
DRAWS = 200
"""Marginal scores do not need more; the Briers of the table are noisier than those of the protocol."""


class Grid(BaseModel):
    """The values to try.

    Parameters
    ----------
    criterion : {"crps", "log"}
        The mean score by which the best is chosen.
    settings : dict
        Values of each setting of the family; a table within it for settings within settings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    criterion: Literal["crps", "log"] = "log"
    settings: Annotated[dict[str, Any], Field(min_length=1)]

    def axes(self, only: Sequence[str] | None = None) -> dict[str, list[Any]]:
        """Return the values of each setting, or of some of them, by its dotted name."""
        found = dict(_flat(self.settings))
        for name in only or ():
            if name not in found:
                raise unknown_name("setting", name, found, where="[settings] of the grid")
        return {name: values for name, values in found.items() if not only or name in only}


def choices(spec: ModelSpec, axes: Mapping[str, list[Any]], *, every_combination: bool) -> list[dict[str, Any]]:
    """Return the settings to try by dotted name, those of the spec first and each once."""
    present = dict(_flat(spec.build().model_dump(mode="json")))
    for name in axes:
        if name not in present:
            raise unknown_name("setting", name, present, where="[settings] of the grid")
    start = {name: present[name] for name in axes}
    if every_combination:
        moved = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    else:
        moved = [start | {name: value} for name, values in axes.items() for value in values]
    out: list[dict[str, Any]] = []
    for choice in [start, *moved]:
        if choice not in out:
            out.append(choice)
    return out


def with_settings(spec: ModelSpec, settings: Mapping[str, Any], name: str) -> ModelSpec:
    """Return the spec under another name with some settings, given by dotted name, in place of its own."""
    nested: dict[str, Any] = spec.build().model_dump(mode="json")
    for dotted, value in settings.items():
        *path, last = dotted.split(".")
        at = nested
        for part in path:
            at = at[part]
        at[last] = value
    changed = spec.model_copy(update={"name": name, "settings": nested, "fit_on": None})
    changed.build()
    return changed


def compare(
    spec: ModelSpec, tried: list[dict[str, Any]], criterion: str, targets: Targets, *, workers: int
) -> pd.DataFrame:
    """Return one row a choice: its settings, its mean scores, and whether it is the best."""
    names = [f"{spec.name}-{at}" for at in range(len(tried))]
    models = [with_settings(spec, settings, name) for settings, name in zip(tried, names, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        record = protocol(models, Path(folder) / "choices", workers=workers, targets=targets, draws=DRAWS)
    board = summary(record, targets).loc[names].drop(columns=["skill", "skill_low", "skill_high"])
    columns = pd.DataFrame([{key: str(value) for key, value in settings.items()} for settings in tried], index=names)
    table = columns.join(gains(target_scores(record, targets), names, criterion)).join(board)
    best = int(table["gain"].to_numpy().argmax())
    clear = table["gain_low"].to_numpy()[best] > 0
    table.insert(0, "chosen", np.arange(len(names)) == (best if clear else 0))
    return table


def gains(scores: pd.DataFrame, names: list[str], criterion: str) -> pd.DataFrame:
    """Return by which share each model's mean score is below that of the first, with a 90 % interval."""
    chosen = scores[scores["score"] == criterion]
    sums = chosen.pivot_table(index="model", columns="origin", values="value", aggfunc="sum", observed=True)
    by_origin = sums.loc[names].to_numpy()
    drawn = by_origin @ block_bootstrap(by_origin.shape[1], REPLICATES, generator(1, "gains")).T
    gain, replicates = 1 - by_origin.sum(axis=1) / by_origin[0].sum(), 1 - drawn / drawn[0]
    low, high = np.quantile(replicates, [0.05, 0.95], axis=1)
    return pd.DataFrame({"gain": gain, "gain_low": low, "gain_high": high}, index=names)


def _flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def main() -> None:
    """Choose for one model, or for each that has a grid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="specs in models/; default: all that have a grid")
    parser.add_argument("--only", nargs="+", help="these settings of the grid")
    parser.add_argument("--product", action="store_true", help="all combinations")
    parser.add_argument("--countries", type=named_countries, default=COUNTRIES, help="names with commas, or all")
    parser.add_argument("--first", type=pd.Timestamp, default=pd.Timestamp("2013-01-01"))
    parser.add_argument("--last", type=pd.Timestamp, default=pd.Timestamp("2016-12-31"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--results", type=Path, default=ROOT / "benchmarks" / "studies" / "results", help="folder of the tables"
    )
    chosen = parser.parse_args()
    targets = Targets(chosen.first, chosen.last, chosen.countries)
    catalogue = open_workspace(ROOT).catalogue
    for model in chosen.models or sorted(path.stem for path in GRIDS.glob("*.toml")):
        begun = time.perf_counter()
        try:
            [spec] = choose_models(catalogue, [model])
            grid = parse(Grid, read_toml(GRIDS / f"{model}.toml"), where=f"{GRIDS.name}/{model}.toml")
            axes = grid.axes(chosen.only)
            tried = choices(spec, axes, every_combination=chosen.product)
            table = compare(spec, tried, grid.criterion, targets, workers=chosen.workers).round(5)
        except ForecastError as error:
            raise SystemExit(str(error)) from error
        chosen.results.mkdir(exist_ok=True)
        table.to_csv(chosen.results / f"choose_{model.replace('-', '_')}.csv", lineterminator="\n", index_label="model")
        print(table.to_string())
        print(f"{time.perf_counter() - begun:.0f} s; chosen by {grid.criterion}: {table.index[table['chosen']][0]}")


if __name__ == "__main__":
    main()
