"""The page docs/benchmarks.md, from the committed results: `python -m benchmarks --page` writes it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.clock import ROOT
from benchmarks.guard import COUNTED, LARGER, SLOWER, yardsticks
from benchmarks.subjects import SUBJECTS, subject

PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = f"""# Benchmarks

How long things take, how much memory, and how long other libraries take for the same. `make bench` measures all of it,
`make bench ARGS=hawkes` one subject. This page is made from `benchmarks/results/`; do not edit it.

- **Core-seconds** are of the processor, with all workers and threads; seconds by the clock stand beside them where
  there are several. Medians of warm calls; *runs* says how many. One thread a process.
- **Peers** are other libraries, with versions pinned in `benchmarks/environments.py`, each in an environment of its
  own, on the same input in the same run. A time is shown only if the peer came to the same result within the tolerance
  that is said; if this package is the one that falls short, `make bench` fails. *Times* are multiples of ours.
  Packages of R are used where they are installed (Debian: `r-cran-surveillance`). statsforecast has no model that is
  the same as one of these: it is [compared by skill](peers.md).
- **The guard.** `make bench` ends with exit code 1 and names the figure if a time has grown by more than
  {SLOWER - 1:.0%} since the committed results, as a multiple of a yardstick (sorting and random numbers, in the same
  run) and against every peer; a peak of memory by more than {LARGER - 1:.0%}; or a count of operations by more than
  {COUNTED - 1:.0%}. Results go to `out/bench/results/`; `BENCH_ACCEPT=1 make bench` commits to them and makes this
  page. Counts of fits, forecasts, likelihoods and compilations are also held by
  `tests/evaluation/test_operation_counts.py`.
- `BENCH_TIMES=1` measures what takes minutes once instead of three times.
"""
MISSING = "No results are committed yet."
COLUMNS = (
    ("seconds", "seconds", "{:.3g}"),
    ("core_seconds", "core-seconds", "{:.3g}"),
    ("first", "first call", "{:.3g}"),
    ("peak_gib", "memory, GiB", "{:.2f}"),
    ("runs", "runs", "{:.0f}"),
)


def page(results: Path) -> str:
    """Return the page as Markdown."""
    found = {name: json.loads((results / f"{name}.json").read_text(encoding="utf-8")) for name in _there(results)}
    lines = [HEAD, *_machines(found)]
    for name in SUBJECTS:
        described, measured = subject(name), found.get(name)
        lines += ["", f"## {described.TITLE}", "", inspect.cleandoc(described.__doc__ or ""), ""]
        if measured is None:
            lines.append(MISSING)
        else:
            lines += [*_costs(measured), *_peers(measured), *_parts(measured), *_facts(measured)]
    return "\n".join(lines) + "\n"


def _there(results: Path) -> list[str]:
    return [name for name in SUBJECTS if (results / f"{name}.json").exists()]


def _machines(found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Tell the machine, and what else it did; once for all that were measured on the same."""
    named: dict[str, list[str]] = {}
    for name, measured in found.items():
        at = measured["machine"]
        text = f"{at['processor']}, {at['cores']} cores, {at['memory_gib']} GiB, {at['system']}, Python {at['python']}"
        named.setdefault(text, []).append(name)
    for text, names in named.items():
        which = "" if len(named) == 1 else f" ({', '.join(names)})"
        yield f"Measured on: {text}{which}."
    yield from ("", "| subject | load before | yardstick, core-seconds | minutes |", "| --- | ---: | ---: | ---: |")
    for name, measured in found.items():
        load = measured["machine"]["load"]
        yield f"| {subject(name).TITLE} | {load:g} | {measured['yardstick']:.3f} | {measured['minutes']:.1f} |"


def _costs(measured: dict[str, Any]) -> Iterator[str]:
    tasks = measured["tasks"]
    shown = [column for column in COLUMNS if any(column[0] in task for task in tasks.values())]
    yield f"| | {' | '.join(label for _, label, _ in shown)} | yardsticks |"
    yield "| --- |" + " ---: |" * (len(shown) + 1)
    for name, task in tasks.items():
        cells = [form.format(task[key]) if key in task else "" for key, _, form in shown]
        yield f"| {name} | {' | '.join(cells)} | {yardsticks(task, measured):.3g} |"
    counts = [f"{name}: {_counted(task['counts'])}" for name, task in tasks.items() if task.get("counts")]
    if counts:
        yield from ("", "Counts of operations:", "", *(f"- {each}" for each in counts))


def _counted(counts: dict[str, float]) -> str:
    return ", ".join(f"{value:,.15g} {name}" for name, value in counts.items())


def _peers(measured: dict[str, Any]) -> Iterator[str]:
    """Tell the times of peers, and why some have none."""
    tasks = {name: task for name, task in measured["tasks"].items() if "peers" in task}
    if not tasks:
        return
    told = [(peer, theirs) for task in tasks.values() for peer, theirs in task["peers"].items()]
    versions = {peer: theirs["version"] for peer, theirs in told if "version" in theirs}
    if versions:
        yield from (
            "",
            f"| same result | this package | {' | '.join(f'{peer} {versions[peer]}' for peer in versions)} |",
        )
        yield "| --- | ---: |" + " ---: |" * len(versions)
    for name, task in tasks.items() if versions else ():
        cells = [_cell(task["peers"].get(peer, {})) for peer in versions]
        yield f"| {name}: {task['same']} | {task['core_seconds']:.3g} s | {' | '.join(cells)} |"
    notes = {f"**{peer}** is absent: {theirs['absent']}." for peer, theirs in told if "absent" in theirs}
    for name, task in tasks.items():
        for peer, theirs in task["peers"].items():
            if "failed" in theirs:
                notes.add(f"**{peer}** failed on {name}: {theirs['failed']}.")
            if "other_result" in theirs:
                notes.add(f"**{peer}** has no time for {name}: its result is {theirs['other_result']:.3g} away.")
    if notes:
        yield from ("", *(f"- {note}" for note in sorted(notes)))


def _cell(theirs: dict[str, Any]) -> str:
    if "times_ours" in theirs:
        return f"{theirs['core_seconds']:.3g} s, {theirs['times_ours']:.3g} times"
    return "other result" if "other_result" in theirs else "failed" if "failed" in theirs else ""


def _parts(measured: dict[str, Any]) -> Iterator[str]:
    for name, task in measured["tasks"].items():
        if "parts" in task:
            yield from ("", f"Of which, {name}:", "", "| | core-seconds |", "| --- | ---: |")
            parts = sorted(task["parts"].items(), key=lambda item: -item[1])
            yield from (f"| {part} | {seconds:.3g} |" for part, seconds in parts)


def _facts(measured: dict[str, Any]) -> Iterator[str]:
    told = [f"{name}: {value:.2f}" for name, value in measured.get("ratios", {}).items()]
    told += measured.get("facts", [])
    if told:
        yield from ("", *(f"- {fact}" for fact in told))
