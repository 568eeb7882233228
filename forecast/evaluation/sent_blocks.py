"""Blocks of a backtest as they travel: what many of them share goes once, and is put together again on a worker."""

from __future__ import annotations

import pickle
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from forecast.errors import ForecastError
from forecast.evaluation.blocks import Block, code_hash
from forecast.panel.panel import Panel
from forecast.panel.panel_hash import panel_hash
from forecast.provenance import hash_bytes, versions

Result = TypeVar("Result")

_SHARED = ("panel", "fit_panel", "vintages", "delays")


class Task(NamedTuple):
    """A block without what it shares with others.

    Parameters
    ----------
    key : str
        Of the block.
    own : mapping of field to value
    ends : mapping of field to Timestamp
        Where those of its panels end that are sent as part of a longer one.
    shared : mapping of field to str
        The parcel in which it is sent.
    made_by : (str, mapping of str)
        Hash of the code and versions of the libraries of the process that asks.
    """

    key: str
    own: Mapping[str, Any]
    ends: Mapping[str, pd.Timestamp]
    shared: Mapping[str, str]
    made_by: tuple[str, Mapping[str, str]]


def taken_apart(blocks: Sequence[Block]) -> tuple[list[Task], dict[str, bytes]]:
    """Return tasks, and the parcels that they name: each to be sent once.

    Parameters
    ----------
    blocks : sequence of Block

    Returns
    -------
    tasks : list of Task
        One a block, about a kilobyte each.
    parcels : dict of str to bytes
        By hash.
    """
    parcels = _Parcels()
    whole = _longest([panel for block in blocks for panel in (block.panel, block.fit_panel) if panel is not None])
    here = (code_hash(), versions())
    tasks = []
    for block in blocks:
        shared = {name: getattr(block, name) for name in _SHARED if getattr(block, name)}
        own = {each.name: getattr(block, each.name) for each in fields(block) if each.name not in _SHARED}
        panels = {"panel": block.panel, "fit_panel": block.fit_panel}
        ends = {name: panel.origin for name, panel in panels.items() if panel is not None}
        names = {name: parcels.of(whole.get(id(content), content)) for name, content in shared.items()}
        tasks.append(Task(block.key, own, ends, names, here))
    return tasks, parcels.packed


@dataclass
class _Parcels:
    """What blocks share, packed; the same object or the same bytes are one parcel."""

    packed: dict[str, bytes] = field(default_factory=dict)
    _seen: dict[int, tuple[object, str]] = field(default_factory=dict)  # objects are held, so that no `id` comes again

    def of(self, content: object) -> str:
        if id(content) not in self._seen:
            packed = zlib.compress(pickle.dumps(content, protocol=5), 1)
            name = hash_bytes(packed)
            self.packed[name] = packed
            self._seen[id(content)] = content, name
        return self._seen[id(content)][1]


def _longest(panels: Iterable[Panel]) -> Mapping[int, Panel]:
    """Return by `id` of each panel the longest of those that begin with the same weeks.

    It is sent in their place, and cut by the workers.
    """
    out: dict[int, Panel] = {}
    longest: list[Panel] = []
    once = {id(panel): panel for panel in panels}
    for key, panel in sorted(once.items(), key=lambda pair: -len(pair[1].weeks)):
        digest = panel_hash(panel)
        for each in longest:
            same = each.weeks[0] == panel.weeks[0] and each.units.names == panel.units.names
            if same and panel_hash(each.until(panel.origin)) == digest:
                out[key] = each
                break
        else:
            longest.append(panel)
            out[key] = panel
    return out


_ONE_AT_A_TIME = threading.Lock()


def on_worker(work: Callable[[Block], Result], task: Task, *packed: bytes) -> Result:
    """Put a block together again and compute it; one at a time where a worker has several threads.

    Parameters
    ----------
    work : callable of Block
    task : Task
    *packed : bytes
        The parcels, in the order of `task.shared`.

    Raises
    ------
    ForecastError
        If this worker's code or libraries differ from those of the process that asks.
    """
    there, here = task.made_by, (code_hash(), versions())
    if here != there:
        apart = sorted(name for name in {*here[1], *there[1]} if here[1].get(name) != there[1].get(name))
        raise ForecastError(
            "the workers would not give the same results: they have another "
            + (f"version of {', '.join(apart)}" if apart else "copy of escalation-forecast")
        )
    parts = {name: _unpacked(content) for name, content in zip(task.shared, packed, strict=True)}
    parts |= {name: parts[name].until(origin) for name, origin in task.ends.items()}
    with _ONE_AT_A_TIME:
        return work(Block(**{"fit_panel": None, **task.own, **parts}))


@lru_cache(maxsize=16)
def _unpacked(packed: bytes) -> Any:
    return pickle.loads(zlib.decompress(packed))  # noqa: S301 - from the client that this worker computes for
