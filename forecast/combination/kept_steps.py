"""Steps of a combination as a track keeps them: without the zeros of distributions, which are nearly all of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.combination.member_forecasts import MemberForecasts, StepForecasts

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KeptLaw:
    """An array of probabilities without its zeros.

    Parameters
    ----------
    shape : tuple of int
    there : ndarray of uint8
        One bit an element: whether it is other than zero.
    values : ndarray
        Of those that are, in order.
    """

    shape: tuple[int, ...]
    there: NDArray[np.uint8]
    values: Floats

    @classmethod
    def of(cls, law: NDArray[Any]) -> KeptLaw:
        """Return an array of any shape in this form.

        Examples
        --------
        >>> KeptLaw.of(np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])).whole()
        array([[0.5, 0.5, 0. ],
               [1. , 0. , 0. ]])
        """
        there = law != 0
        return cls(law.shape, np.packbits(there), law[there])

    def whole(self) -> Floats:
        """Return the array, as it was to the last bit."""
        out = np.zeros(self.shape, self.values.dtype)
        there = np.unpackbits(self.there, count=out.size).astype(bool)
        out.reshape(-1)[there] = self.values
        return out


@dataclass(frozen=True, eq=False)
class KeptMembers:
    """`MemberForecasts`; `pmf` is made anew each time that it is asked for."""

    week: int
    activity: NDArray[np.int64]
    chance: Floats
    traits: Floats
    absent: NDArray[np.bool_] | None
    law: KeptLaw

    @classmethod
    def of(cls, said: MemberForecasts) -> KeptMembers:
        """Keep what members said."""
        return cls(said.week, said.activity, said.chance, said.traits, said.absent, KeptLaw.of(said.pmf))

    @property
    def pmf(self) -> Floats:
        """Probabilities, shape (members, horizon, units, k)."""
        return self.law.whole()

    @property
    def number(self) -> int:
        """How many members there are."""
        return self.law.shape[0]

    @property
    def horizon(self) -> int:
        """Weeks ahead."""
        return self.law.shape[1]


@dataclass(frozen=True, eq=False)
class KeptStep:
    """`StepForecasts`; `pool`, `trial` and `final` are made anew each time that they are asked for."""

    members: KeptMembers
    weight: Floats
    trial_weight: Floats
    pool_chance: Floats
    trial_chance: Floats
    final_chance: Floats
    laws: tuple[KeptLaw, KeptLaw, KeptLaw]

    @classmethod
    def of(cls, step: StepForecasts) -> KeptStep:
        """Keep a step."""
        pool = KeptLaw.of(step.pool)
        trial = pool if step.trial is step.pool else KeptLaw.of(step.trial)
        final = pool if step.final is step.pool else trial if step.final is step.trial else KeptLaw.of(step.final)
        return cls(
            KeptMembers.of(step.members),
            step.weight,
            step.trial_weight,
            step.pool_chance,
            step.trial_chance,
            step.final_chance,
            (pool, trial, final),
        )

    @property
    def pool(self) -> Floats:
        """Pmf of the pool, shape (horizon, units, k)."""
        return self.laws[0].whole()

    @property
    def trial(self) -> Floats:
        """Pmf recalibrated everywhere."""
        return self.laws[1].whole()

    @property
    def final(self) -> Floats:
        """Pmf recalibrated where that step is on."""
        return self.laws[2].whole()

    def whole(self) -> StepForecasts:
        """Return the step, as it was to the last bit."""
        said = self.members
        members = MemberForecasts(said.week, said.pmf, said.activity, said.chance, said.traits, said.absent)
        values = {each.name: getattr(self, each.name) for each in fields(StepForecasts) if each.name != "members"}
        return StepForecasts(members, **values)
