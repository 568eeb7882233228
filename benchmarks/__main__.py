"""Measure subjects, hold them to what was committed, and make the page: `make bench`.

    python -m benchmarks                      # all
    python -m benchmarks hawkes scores        # some
    python -m benchmarks --accept hawkes      # and commit to the new figures; BENCH_ACCEPT=1 does the same
    python -m benchmarks --page               # only docs/benchmarks.md, from the committed results

Each subject is measured in a process of its own. Its figures go to out/bench/results; only if they are accepted they
replace those in benchmarks/results, and the page is made from these, with the tables of docs/scaling.md. Exit code 1:
something costs more than it did, or could not be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.clock import OUT, ROOT, surroundings
from benchmarks.guard import regressions
from benchmarks.machine import machine, yardstick
from benchmarks.page import PAGE, page
from benchmarks.scaling_tables import PAGE as SCALING
from benchmarks.scaling_tables import tables
from benchmarks.subjects import SUBJECTS, subject

RESULTS = ROOT / "benchmarks" / "results"


class NotMeasuredError(Exception):
    """A subject ended with an error: for one, because two sides did not do the same work."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("subjects", nargs="*", metavar="subject", help=f"of {', '.join(SUBJECTS)}; all by default")
    parser.add_argument("--accept", action="store_true", default=os.environ.get("BENCH_ACCEPT", "0") == "1")
    parser.add_argument("--page", action="store_true", help="only make the page")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.subjects) - set(SUBJECTS))
    if unknown:
        parser.error(f"no subject {', '.join(unknown)}; there are {', '.join(SUBJECTS)}")
    if chosen.into:
        chosen.into.write_text(json.dumps(subject(chosen.subjects[0]).measure()), encoding="utf-8")
        return 0
    worse = {} if chosen.page else {name: judged(name, chosen.accept) for name in chosen.subjects or SUBJECTS}
    if chosen.accept or chosen.page:
        PAGE.write_text(page(RESULTS), encoding="utf-8", newline="\n")
        text = SCALING.read_text(encoding="utf-8")
        SCALING.write_text(tables(text, RESULTS), encoding="utf-8", newline="\n")
    told = [f"{name}: {figure}" for name, figures in worse.items() for figure in figures]
    print("\n".join(told) or "Nothing costs more than it did.")
    return 1 if told and not chosen.accept else 0


def judged(name: str, accept: bool, results: Path = RESULTS, out: Path = OUT / "results") -> list[str]:
    """Measure a subject, write its figures, and return what is worse than what is committed in `results`.

    Parameters
    ----------
    name : str
    accept : bool
        Whether the figures replace those in `results`.
    results, out : Path
    """
    print(f"== {name}", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    committed = results / f"{name}.json"
    try:
        now = measured(name)
    except NotMeasuredError as error:
        return [str(error)]
    text = json.dumps(rounded(now), indent=1) + "\n"
    (out / committed.name).write_text(text, encoding="utf-8")
    for task, cost in now["tasks"].items():
        print(f"   {task}: {cost['core_seconds']:.4g} core-seconds", flush=True)
    if not committed.exists():
        found = [] if accept else ["nothing is committed to compare it with"]
    else:
        found = regressions(json.loads(committed.read_text(encoding="utf-8")), now)
    if accept:
        results.mkdir(exist_ok=True)
        committed.write_text(text, encoding="utf-8")
    return found


def measured(name: str) -> dict[str, Any]:
    """Measure a subject in a process of its own, between two measurements of the yardstick."""
    begun, before, file = time.perf_counter(), yardstick(), OUT / "results" / f".{name}.json"
    described = machine()
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks", name, "--into", str(file)]
    done = subprocess.run(command, cwd=ROOT, env=surroundings(), check=False)
    if done.returncode:
        raise NotMeasuredError(f"not measured, exit code {done.returncode}: see above")
    found = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    unit = statistics.mean([before, yardstick()])
    return {"machine": described, "yardstick": unit, "minutes": (time.perf_counter() - begun) / 60, **found}


def rounded(value: Any) -> Any:
    """Return the same with four digits."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    sys.exit(main())
