"""The steps of a combined model as bytes, kept beside the blocks: an unchanged record need not be learned again."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from forecast.combination.member_forecasts import MemberForecasts, StepForecasts
from forecast.evaluation.block_file import is_whole
from forecast.panel.units import UnitKind

LAWS = ("pool", "trial", "final")
"""Distributions, whose lengths differ from step to step."""
ALIKE = ("weight", "trial_weight", "pool_chance", "trial_chance", "final_chance")


def pack_steps(steps: Mapping[UnitKind, Sequence[StepForecasts]]) -> bytes:
    """Return steps without what the members said, after the sha256 of what follows.

    Parameters
    ----------
    steps : mapping of unit kind to sequence of StepForecasts
        At least one of each kind.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    for kind, each in steps.items():
        arrays |= {f"{kind} {name}": np.stack([getattr(step, name) for step in each]) for name in ALIKE}
        for name in LAWS:
            laws = [getattr(step, name) for step in each]
            arrays[f"{kind} {name}"] = np.concatenate([law.ravel() for law in laws])
            arrays[f"{kind} {name} shape"] = np.array([law.shape for law in laws])
    body = io.BytesIO()
    np.savez(body, allow_pickle=False, **arrays)
    return hashlib.sha256(body.getvalue()).digest() + body.getvalue()


def unpack_steps(
    content: bytes, members: Mapping[UnitKind, Sequence[MemberForecasts]]
) -> dict[UnitKind, list[StepForecasts]]:
    """Return the steps of bytes, with what their members said.

    Raises
    ------
    ValueError
        If the bytes are not whole and unaltered, or are of other steps.
    """
    if not is_whole(content):
        raise ValueError("damaged steps")
    found: dict[UnitKind, list[StepForecasts]] = {}
    with np.load(io.BytesIO(content[32:]), allow_pickle=False) as arrays:
        for kind, said in members.items():
            parts = {name: list(arrays[f"{kind} {name}"]) for name in ALIKE}
            for name in LAWS:
                shapes, values = arrays[f"{kind} {name} shape"], arrays[f"{kind} {name}"]
                ends = np.cumsum(shapes.prod(axis=1))[:-1]
                parts[name] = [law.reshape(shape) for law, shape in zip(np.split(values, ends), shapes, strict=True)]
            rows = zip(said, *parts.values(), strict=True)
            found[kind] = [StepForecasts(one, **dict(zip(parts, row, strict=True))) for one, *row in rows]
    return found
