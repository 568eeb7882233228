"""A piece of work with what it cost, and with what it cost peers that did the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

Task = dict[str, Any]
"""``core_seconds`` and, where measured, ``seconds``, ``peak_gib``, ``first``, ``runs``; ``counts`` of operations;
``peers`` by name; ``same``, in words what a peer has to agree on. All of it goes into JSON."""


class LessWorkDoneError(Exception):
    """This package ended short of what a peer reached: its time would say nothing."""


def beside(
    cost: Mapping[str, float],
    task: str,
    answers: Mapping[str, Mapping[str, Any]],
    short: Callable[[Any], float],
    tolerance: float,
    what: str,
    *,
    symmetric: bool = False,
) -> Task:
    """Return a task with the times of those peers that did the same work.

    Parameters
    ----------
    cost : dict
        What it cost here.
    task : str
        Its name among the answers.
    answers : dict
        What each peer answered, by its name: `benchmarks.environments.answers`.
    short : callable
        Of what a peer found: by how much it is worse than what this package found; negative if it is better.
    tolerance : float
        Largest of that for which it is the same.
    what : str
        In words: what is compared.
    symmetric : bool
        There is no better and worse: `short` is a distance.

    Raises
    ------
    LessWorkDoneError
        If this package is worse than a peer by more than the tolerance; or, where there is no better, if it differs.
    """
    peers: dict[str, Task] = {}
    for peer, answer in answers.items():
        if "absent" in answer:
            peers[peer] = {"absent": answer["absent"]}
            continue
        told = answer["tasks"].get(task)
        if told is None:
            continue  # it offers no such thing
        named = {"version": answer["version"]}
        if "failed" in told:
            peers[peer] = named | {"failed": told["failed"]}
            continue
        by = float(short(told["found"]))
        if by < -tolerance or (symmetric and not by <= tolerance):
            raise LessWorkDoneError(
                f"{task}: {what} of {peer} is {abs(by):.3g} away, or better, than that of this package"
            )
        if by <= tolerance:
            times_ours = told["core_seconds"] / cost["core_seconds"]
            peers[peer] = named | {"core_seconds": told["core_seconds"], "times_ours": times_ours, "difference": by}
        else:
            peers[peer] = named | {"other_result": by}
    return {**cost, "peers": peers, "same": f"{what} within {tolerance:g}"}


@contextmanager
def counted(*functions: tuple[Any, str]) -> Iterator[dict[str, int]]:
    """Count the calls of functions, each named by its owner and its name, while the context lasts."""
    calls = {name: 0 for _, name in functions}

    def counting(name: str, done: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            calls[name] += 1
            return done(*arguments, **keywords)

        return call

    patches = [mock.patch.object(owner, name, counting(name, getattr(owner, name))) for owner, name in functions]
    for patch in patches:
        patch.start()
    try:
        yield calls
    finally:
        for patch in patches:
            patch.stop()
