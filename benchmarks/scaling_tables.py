"""The tables of docs/scaling.md, from the committed results; what stands around them is written by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.clock import ROOT

PAGE = ROOT / "docs" / "scaling.md"
SIZES = ((30, 20, 156), (300, 20, 156), (300, 20, 520), (1_000, 20, 520), (10_000, 10, 156), (10_000, 20, 520))
"""Cells, models and origins."""
PLANS = {"Africa": 10_700, "world": 64_800}
MODELS, ORIGINS, REFIT, CORES = 20, 520, 26, 32
KEPT = 1.2e-6
"""GB of a finished block, a cell, origin and model."""


def tables(text: str, results: Path) -> str:
    """Return the page with its tables as the results of scale_up and sizing give them; without those, as they are."""
    for name, source, made in (
        ("scale_up", "scale_up", _cells),
        ("a_cell", "sizing", _costs),
        ("core_hours", "sizing", _sizes),
        ("plans", "sizing", _plans),
    ):
        file = results / f"{source}.json"
        if file.exists():
            text = _replaced(text, name, made, json.loads(file.read_text(encoding="utf-8")))
    return text


def _replaced(text: str, name: str, made: Callable[[dict[str, Any]], Iterator[str]], found: dict[str, Any]) -> str:
    place = re.compile(rf"(<!-- benchmarks: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    content = "\n".join(made(found))
    return place.sub(lambda match: f"{match[1]}\n{content}\n\n{match[2]}", text)


def _cells(found: dict[str, Any]) -> Iterator[str]:
    yield from ("| cells | core-seconds | peak memory, GiB | files, MB |", "| ---: | ---: | ---: | ---: |")
    for name, task in found["tasks"].items():
        size = sum(task["counts"].values()) / 1e6
        yield f"| {name.removesuffix(' cells')} | {task['core_seconds']:.0f} | {task['peak_gib']:.1f} | {size:.1f} |"
    (power,) = found["ratios"].values()
    yield ""
    yield f"Core-seconds grow as cells to the power of {power:.2f}. Neighbours are sparse, and parameters are estimated"
    yield "for all cells in one pass. `make bench ARGS=scale_up` repeats it; counts are simulated."


def _costs(found: dict[str, Any]) -> Iterator[str]:
    yield from ("| model | fit | origin |", "| --- | ---: | ---: |")
    for name, task in found["tasks"].items():
        yield f"| `{name}` | {task['a_cell']['fit_ms']:.1f} | {task['a_cell']['origin_ms']:.1f} |"
    yield f"| mean | {_mean(found, 'fit_ms'):.1f} | {_mean(found, 'origin_ms'):.1f} |"


def _sizes(found: dict[str, Any]) -> Iterator[str]:
    yield "| cells | models | origins | core-hours | blocks kept, GB |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    for cells, models, origins in SIZES:
        hours, kept = core_hours(found, cells, models, origins), KEPT * cells * models * origins
        yield f"| {cells:,} | {models} | {origins} | {_short(hours)} | {_short(kept)} |"


def _plans(found: dict[str, Any]) -> Iterator[str]:
    yield "| | cells | core-hours | on 32 cores, hours | blocks kept, GB |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name, cells in PLANS.items():
        hours, kept = core_hours(found, cells, MODELS, ORIGINS), KEPT * cells * MODELS * ORIGINS
        yield f"| {name} | {cells:,} | {_short(hours)} | {_short(hours / CORES)} | {_short(kept)} |"


def core_hours(found: dict[str, Any], cells: int, models: int, origins: int) -> float:
    """Return what a backtest takes with the mean of the models, refitted every `REFIT` origins."""
    one = origins / REFIT * _mean(found, "fit_ms") + origins * _mean(found, "origin_ms")
    return cells * models * one / 3.6e6


def _mean(found: dict[str, Any], part: str) -> float:
    costs = [task["a_cell"][part] for task in found["tasks"].values()]
    return float(sum(costs) / len(costs))


def _short(value: float) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:.3g}"
