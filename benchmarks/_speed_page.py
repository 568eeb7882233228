"""The page docs/benchmarks.md, from the committed results: `python benchmarks/_speed_page.py` writes it."""

from __future__ import annotations

import json
from typing import Any

from _measured import RESULTS, ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
STATES = (
    ("first_run", "a new workspace: nothing finished, kernels compiled"),
    ("second_week", "the week after a run: one week of new data"),
    ("finished_blocks", "the same week again, `--reissue`: the record is there"),
    ("nothing_to_do", "the same week again: issued already"),
)
HEAD = """# Benchmarks

What the main job and a backtest cost. This page is made by `python benchmarks/_speed_page.py` from
`benchmarks/results/main_job.json` and `benchmarks/results/backtest.json`; do not edit it. `make bench` measures anew
(medians of three; `BENCH_TIMES=1` for a quick look) and fails where core-seconds, as a multiple of a fixed piece of
work in the same run, have grown by more than 30 % since the committed results. Counts of fits, forecasts and
compilations are held by `tests/evaluation/test_operation_counts.py`.
"""
JOB = """
## The main job

`forecast run` on the three embedded countries: eight models and their combination, 30 regions and 8 places, two
backtests, the report, the brief and the pictures; two workers.

| | seconds | core-seconds | memory, GiB |
| --- | ---: | ---: | ---: |"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8", newline="\n")


def page() -> str:
    """Return the page as Markdown."""
    job, record = (
        json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")) for name in ("main_job", "backtest")
    )
    machine, by_model = job["machine"], dict(job["first_run_by_model"])
    total = by_model.pop("total")
    speed = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}"
    size = f"{record['origins']} weekly origins, {record['regions']} regions, {record['horizon']} weeks ahead"
    lines = [
        HEAD,
        f"Measured on: {speed}, Python {machine['python']},",
        f"with a load of {machine['load']:g} by all that the machine does: with more than there are cores the clock",
        "says too much. Seconds are by the clock, core-seconds of the processor, with all workers; memory is the",
        f"peak of the largest process. Runs of each: {job['first_run']['runs']}.",
        JOB,
        *(_row(label, job[name]) for name, label in STATES),
        "",
        "By model and part of the work, as the log and `forecast run --cost` tell it, a first run took",
        f"{total:g} core-seconds:",
        "",
        "| | core-seconds |",
        "| --- | ---: |",
        *(f"| {name} | {value:g} |" for name, value in sorted(by_model.items(), key=lambda item: -item[1])),
        "",
        f"`forecast --help` appears in {1000 * job['help']['seconds']:.0f} ms, {job['help_ratio']:g} times what",
        '`python -c "import typer, rich"` takes; all that a run imports is there after',
        f"{job['import_forecast']['seconds']:.1f} s.",
        "",
        "## A backtest",
        "",
        f"{record['models']} fast models, {size}, {record['paths']:,} paths, refitted every 13 weeks.",
        f"Load of the machine: {record['machine']['load']:g}.",
        "",
        "| workers | seconds | core-seconds | memory, GiB |",
        "| --- | ---: | ---: | ---: |",
        *(_row(f"{workers}", record[f"workers_{workers}"]) for workers in (1, 2)),
        "",
        f"Two workers are {record['times_as_fast']:g} times as fast as one here, with the same bytes. On a machine",
        "whose cores are busy with other things that says nothing.",
    ]
    return "\n".join(lines) + "\n"


def _row(label: str, found: dict[str, Any]) -> str:
    return f"| {label} | {found['seconds']:.1f} | {found['core_seconds']:.1f} | {found['peak_gib']:.2f} |"


if __name__ == "__main__":
    main()
