"""The steps of a combined model as bytes, kept beside the blocks: an unchanged record need not be learned again."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from forecast.combination.kept_steps import KeptLaw, KeptMembers, KeptStep
from forecast.combination.member_forecasts import MemberForecasts
from forecast.evaluation.block_file import is_whole
from forecast.panel.units import UnitKind

STEPS_SUFFIX = ".steps"

ALIKE = ("weight", "trial_weight", "pool_chance", "trial_chance", "final_chance")
"""What has the same shape in every step; the distributions have not."""


def pack_steps(steps: Mapping[UnitKind, Sequence[KeptStep]]) -> bytes:
    """Return steps without what the members said, after the sha256 of what follows.

    Parameters
    ----------
    steps : mapping of unit kind to sequence of KeptStep
        At least one of each kind.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    for kind, each in steps.items():
        arrays |= {f"{kind} {name}": np.stack([getattr(step, name) for step in each]) for name in ALIKE}
        laws = list({id(law): law for step in each for law in step.laws}.values())
        number = {id(law): at for at, law in enumerate(laws)}
        arrays[f"{kind} laws"] = np.array([[number[id(law)] for law in step.laws] for step in each])
        arrays[f"{kind} shape"] = np.array([law.shape for law in laws])
        arrays[f"{kind} there"] = np.concatenate([law.there for law in laws])
        arrays[f"{kind} values"] = np.concatenate([law.values for law in laws])
    body = io.BytesIO()
    np.savez(body, allow_pickle=False, **arrays)
    return hashlib.sha256(body.getvalue()).digest() + body.getvalue()


def unpack_steps(
    content: bytes, members: Mapping[UnitKind, Iterable[MemberForecasts]]
) -> dict[UnitKind, list[KeptStep]]:
    """Return the steps of bytes, with what their members said.

    Raises
    ------
    ValueError
        If the bytes are not whole and unaltered, or are of other steps.
    """
    if not is_whole(content):
        raise ValueError("damaged steps")
    found: dict[UnitKind, list[KeptStep]] = {}
    with np.load(io.BytesIO(content[32:]), allow_pickle=False) as arrays:
        for kind, said in members.items():
            shapes, there, values = (arrays[f"{kind} {name}"] for name in ("shape", "there", "values"))
            bits = np.split(there, np.cumsum(-(-shapes.prod(axis=1) // 8))[:-1])
            ends = np.cumsum([int(np.bitwise_count(each).sum()) for each in bits])[:-1]
            laws = [
                KeptLaw(tuple(shape), *law) for shape, *law in zip(shapes, bits, np.split(values, ends), strict=True)
            ]
            alike = zip(*(arrays[f"{kind} {name}"] for name in ALIKE), strict=True)
            found[kind] = [
                KeptStep(KeptMembers.of(one), **dict(zip(ALIKE, row, strict=True)), laws=(laws[a], laws[b], laws[c]))
                for one, row, (a, b, c) in zip(said, alike, arrays[f"{kind} laws"], strict=True)
            ]
    return found
