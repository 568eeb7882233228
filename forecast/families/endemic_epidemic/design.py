"""What the mean is made of: linear predictors of the three components, lags, weights, and where each parameter acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.families.endemic_epidemic.lags import Lags
from forecast.families.endemic_epidemic.weights import Weights

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Intercepts = Literal["common", "fixed", "random"]
Sizes = Literal["common", "unit"]

COMPONENTS = ("own", "neighbour", "endemic")
SIZE = 3
"""Bases 0 to 2 are the components, on the log scale; this one is the log of the size."""
CELLS = 4
"""From here on: covariates by week and unit, parameters of the weights, the parameter of the lags."""


@dataclass(frozen=True, eq=False)
class Component:
    """Linear predictor of one component on the log scale.

    Parameters
    ----------
    week : ndarray, shape (weeks, k)
        Regressors that are the same for all units: 1, trend, season.
    names : tuple of str
        Of the regressors of `week`, then of those of `cell`.
    cell : ndarray, shape (weeks, units, c), optional
        Regressors that differ between units.
    offset : ndarray, shape (units,), optional
        Positive factor, such as the exposure.
    intercepts : {"common", "fixed", "random"}
        Of the units: none beside what `week` has; one each, to be estimated freely (then `week` has no intercept);
        or deviations from it that are normal around 0, of a variance that is estimated.
    """

    week: Floats
    names: tuple[str, ...]
    cell: Floats | None = None
    offset: Floats | None = None
    intercepts: Intercepts = "common"


@dataclass(frozen=True, eq=False)
class Design:
    """All that enters the mean and the size but the counts; built by `of`.

    Each shared parameter acts on one base (a component on the log scale, the log size, ..) by a regressor that changes
    by week alone, which is 1 for parameters that are none of a linear predictor.

    Parameters
    ----------
    names : tuple of str, shape (shared,)
    base : ndarray of int, shape (shared,)
    regressors : ndarray, shape (weeks, shared)
    present : ndarray of bool, shape (3,)
        Which components there are.
    offset : ndarray, shape (3, units)
    cells : ndarray, shape (units, weeks, c)
        All regressors by week and unit.
    cell_component : ndarray of int, shape (c,)
    unit_base : ndarray of int, shape (block,)
        The bases on which a parameter of each unit acts.
    random : ndarray of bool, shape (block,)
        Whether those are random effects.
    lags : Lags
    weights : Weights or None
    sizes : {"common", "unit"} or None
        None is the Poisson distribution.
    """

    names: tuple[str, ...]
    base: Indices
    regressors: Floats
    present: NDArray[np.bool_]
    offset: Floats
    cells: Floats
    cell_component: Indices
    unit_base: Indices
    random: NDArray[np.bool_]
    lags: Lags = field(default_factory=Lags)
    weights: Weights | None = None
    sizes: Sizes | None = "common"

    @classmethod
    def of(
        cls,
        weeks: int,
        units: int,
        *,
        own: Component | None = None,
        neighbour: Component | None = None,
        endemic: Component | None = None,
        lags: Lags | None = None,
        weights: Weights | None = None,
        sizes: Sizes | None = "common",
    ) -> Design:
        """Put components together; one that is None is left out.

        Raises
        ------
        InputError
            If there is no component, or a neighbour component without weights.
        """
        lags = lags or Lags()
        parts = {at: part for at, part in enumerate((own, neighbour, endemic)) if part is not None}
        if not parts:
            raise InputError("no component", expected="own, neighbour or endemic, or several of them")
        if neighbour is not None and weights is None:
            raise InputError("a neighbour component without weights")
        names: list[str] = []
        base: list[int] = []
        columns: list[Floats] = []
        cells: list[Floats] = []
        cell_component: list[int] = []
        offset = np.ones((3, units))
        one = np.ones(weeks)
        for at, part in parts.items():
            names += [f"{COMPONENTS[at]}.{name}" for name in part.names]
            base += [at] * part.week.shape[1]
            columns += list(part.week.T)
            if part.cell is not None:
                for column in np.moveaxis(part.cell, 2, 0):
                    base.append(CELLS + len(cells))
                    columns.append(one)
                    cells.append(column.T)
                    cell_component.append(at)
            if part.offset is not None:
                offset[at] = part.offset
        extra = list(weights.names) if neighbour is not None and weights is not None else []
        epidemic = own is not None or neighbour is not None
        extra += [lags.natural_name] if lags.estimated and epidemic else []
        names += extra
        base += [CELLS + len(cells) + at for at in range(len(extra))]
        if sizes is not None:
            names.append("size")
            base.append(SIZE)
        columns += [one] * (len(base) - len(columns))
        unit_base = [at for at, part in parts.items() if part.intercepts != "common"]
        random = [parts[at].intercepts == "random" for at in unit_base]
        if sizes == "unit":
            unit_base.append(SIZE)
            random.append(False)
        return cls(
            tuple(names),
            np.array(base, dtype=np.int64),
            np.ascontiguousarray(np.stack(columns, axis=1)) if columns else np.empty((weeks, 0)),
            np.array([at in parts for at in range(3)]),
            offset,
            np.ascontiguousarray(np.stack(cells, axis=2)) if cells else np.empty((units, weeks, 0)),
            np.array(cell_component, dtype=np.int64),
            np.array(unit_base, dtype=np.int64),
            np.array(random, dtype=np.bool_),
            lags,
            weights if neighbour is not None else None,
            sizes,
        )

    @property
    def weight_count(self) -> int:
        """How many parameters the weights have."""
        return len(self.weights.names) if self.weights is not None else 0

    @property
    def lag_estimated(self) -> bool:
        """Whether the decay of the lags is a parameter."""
        return self.lags.estimated and bool(self.present[:2].any())

    @property
    def bases(self) -> int:
        """How many bases there are."""
        return CELLS + int(self.cells.shape[2]) + self.weight_count + int(self.lag_estimated)

    @cached_property
    def members(self) -> tuple[Indices, Indices]:
        """The parameters in order of their base, and where those of each base start."""
        start = np.searchsorted(np.sort(self.base), np.arange(self.bases + 1))
        return np.argsort(self.base, kind="stable").astype(np.int64), start.astype(np.int64)

    @cached_property
    def largest_regressors(self) -> Floats:
        """The largest absolute value of what each shared parameter is multiplied with, shape (shared,); positive."""
        largest = np.abs(self.regressors).max(axis=0, initial=0.0)
        in_cells = (self.base >= CELLS) & (self.base < CELLS + self.cells.shape[2])
        largest[in_cells] = np.abs(self.cells).max(axis=(0, 1), initial=0.0)[self.base[in_cells] - CELLS]
        return np.asarray(np.maximum(largest, 1e-12))

    def parts(self, shared: Floats) -> Parts:
        """Return the factors of the mean at some values of the shared parameters."""
        first = CELLS + self.cells.shape[2]
        in_weights = (self.base >= first) & (self.base < first + self.weight_count)
        factor = np.zeros((3, len(self.regressors)))
        for at in np.flatnonzero(self.present):
            mine = self.base == at
            factor[at] = np.exp(np.clip(self.regressors[:, mine] @ shared[mine], -60.0, 60.0))
        decay = float(shared[self.base == first + self.weight_count][0]) if self.lag_estimated else 0.0
        log_size = float(shared[self.base == SIZE][0]) if self.sizes is not None else np.inf
        in_cells = (self.base >= CELLS) & (self.base < first)
        return Parts(factor, shared[in_cells], shared[in_weights], self.lags.weights(decay), log_size)


@dataclass(frozen=True, eq=False)
class Parts:
    """Factors of the mean.

    Parameters
    ----------
    week : ndarray, shape (3, weeks)
        ``exp`` of each linear predictor as far as it is the same for all units; 0 for a component that is left out.
    cell : ndarray, shape (c,)
        Coefficients of the regressors by week and unit.
    weights : ndarray
        Parameters of the weights.
    lag : ndarray, shape (3, order)
        Weights of the lags with their derivatives.
    log_size : float
        ``inf`` for the Poisson distribution.
    """

    week: Floats
    cell: Floats
    weights: Floats
    lag: Floats
    log_size: float
