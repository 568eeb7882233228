"""Whether a subject costs more than when its results were committed: by ratios and counts, never by seconds.

A time is held as a multiple of a fixed piece of work of the same run, and as a share of each peer's time there. It has
grown only if it has by all of these: a machine of another kind, or a faster version of one peer, moves one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SLOWER = 1.3
"""Growth of a time, in ratios, that is no longer noise."""
LARGER = 1.2
"""Growth of the peak of memory."""
COUNTED = 1.05
"""Growth of a count of operations: versions of libraries differ a little in them."""


def regressions(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return which figures of a subject are worse than those committed, in words; both as in benchmarks/results."""
    found: list[str] = []
    for name, was in before["tasks"].items():
        task = now["tasks"].get(name)
        found += [f"{name}: not measured any more"] if task is None else list(_worse(name, was, task, before, now))
    for name, was in before.get("ratios", {}).items():
        ratio = now.get("ratios", {}).get(name)
        if ratio is None or ratio > SLOWER * was:
            found.append(f"{name}: {ratio} instead of {was}")
    return found


def yardsticks(task: dict[str, Any], subject: dict[str, Any]) -> float:
    """Return the core-seconds of a task in units of the fixed piece of work."""
    return float(task["core_seconds"] / subject["yardstick"])


def _worse(
    name: str, was: dict[str, Any], task: dict[str, Any], before: dict[str, Any], now: dict[str, Any]
) -> Iterator[str]:
    growth = {"the yardstick": yardsticks(task, now) / yardsticks(was, before)}
    for peer, theirs in was.get("peers", {}).items():
        today = task.get("peers", {}).get(peer, {})
        if "times_ours" in theirs and "times_ours" in today:
            growth[peer] = theirs["times_ours"] / today["times_ours"]
        elif "times_ours" in theirs and "other_result" in today:
            yield f"{name}: no longer the same result as {peer}, which is {today['other_result']:.3g} away"
    if min(growth.values()) > SLOWER:
        told = ", ".join(f"{times:.2f} times by {what}" for what, times in growth.items())
        yield f"{name}: slower, {told}"
    if "peak_gib" in was and task["peak_gib"] > LARGER * was["peak_gib"]:
        yield f"{name}: {task['peak_gib']:.2f} GiB of memory instead of {was['peak_gib']:.2f}"
    for count, value in was.get("counts", {}).items():
        today = task.get("counts", {}).get(count)
        if today is None or today > COUNTED * value:
            yield f"{name}: {today} {count} instead of {value}"
