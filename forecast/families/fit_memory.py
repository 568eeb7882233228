"""Fits that need not be made twice: of one family, on the same weeks, in one process.

A workspace that estimates on a longer dataset fits the same weeks for its forecast, for the last weeks of its track
record and to tell what has changed since the last issue.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

from forecast.families.protocol import Family, Fitted
from forecast.panel.panel import Panel
from forecast.panel.panel_hash import panel_hash

MOST_KEPT = 32
_kept: OrderedDict[tuple[str, str, str], Fitted] = OrderedDict()
_lock = threading.Lock()


def fit_once(family: Family, panel: Panel, rng: np.random.Generator) -> Fitted:
    """Return what a family finds in a panel, from memory if it found it there before without drawing from `rng`.

    Parameters
    ----------
    family : Family
    panel : Panel
    rng : Generator
        A fit in which chance has a part is never kept.

    Examples
    --------
    >>> import pandas as pd
    >>> from forecast.families.direct_endemic.family import DirectEndemic
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2026-01-03", periods=30, freq="7D")
    >>> panel = Panel.of(np.ones((30, 1), dtype=np.int64), weeks, Units.of(["Mali/Gao"]))
    >>> first = fit_once(DirectEndemic(), panel, np.random.default_rng(1))
    >>> first is fit_once(DirectEndemic(), panel.until("2030-01-05"), np.random.default_rng(2))
    True
    """
    kind = type(family)
    key = (f"{kind.__module__}.{kind.__qualname__}", family.model_dump_json(), panel_hash(panel))
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    before = _state(rng)
    fitted = family.fit(panel, rng)
    if _state(rng) == before:
        with _lock:
            _kept[key] = fitted
            while len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    return fitted


def _state(rng: np.random.Generator) -> object:
    seeds = rng.bit_generator.seed_seq
    return rng.bit_generator.state, getattr(seeds, "n_children_spawned", 0)
