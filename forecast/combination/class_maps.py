"""Maps for each class of cases, drawn to the map of all by how few cases a class has."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.combination.level_map import Composed, Identity, LevelMap, case_weights
from forecast.errors import InputError

Floats = NDArray[np.float64]
Label = tuple[Hashable, ...]


class CdfFit(Protocol):
    """A fit such as `forecast.combination.cdf_maps.fit_beta_map`, its prior and minimum included."""

    def __call__(self, pairs: Floats, *, weight: Floats) -> LevelMap:
        """Return the map that past pairs ask for."""
        ...


class EventFit(Protocol):
    """A fit such as `forecast.combination.event_maps.fit_isotonic_map`, its prior and minimum included."""

    def __call__(self, probability: Floats, outcome: Floats, *, weight: Floats) -> LevelMap:
        """Return the map that past probabilities ask for."""
        ...


@dataclass(frozen=True, eq=False)
class ClassMaps:
    """The maps of nested classes: of all cases, of each coarse class, of each finer one within it.

    Parameters
    ----------
    maps : mapping of tuple to LevelMap
        By the labels from coarse to fine; () is the map of all. Each is what its class needs beyond the coarser ones.
    """

    maps: Mapping[Label, LevelMap]

    def of(self, *label: Hashable) -> LevelMap:
        """Return the map of one class: of all, then of the class, then of the finer one; what is unknown adds nothing.

        Examples
        --------
        >>> maps = ClassMaps({(): np.square, ("active",): np.sqrt})
        >>> maps.of("active")(0.5).round(3), maps.of("silent")(0.5)
        (np.float64(0.5), np.float64(0.25))
        """
        found: LevelMap = self.maps[()]
        for depth in range(1, len(label) + 1):
            if (finer := self.maps.get(label[:depth])) is not None:
                found = Composed(found, finer)
        return found

    def changes(self, *label: Hashable) -> bool:
        """Return whether the map of a class does anything: with too few cases to learn from it leaves all as it is.

        Examples
        --------
        >>> maps = ClassMaps({(): Identity(), ("active",): np.sqrt})
        >>> maps.changes("active"), maps.changes("silent")
        (True, False)
        """
        return any(
            not isinstance(self.maps.get(label[:depth], Identity()), Identity) for depth in range(len(label) + 1)
        )

    def at(self, *labels: ArrayLike) -> LevelMap:
        """Return the map of an array of cells, each by its class.

        Parameters
        ----------
        *labels : array_like
            From coarse to fine; shapes that broadcast to the cells.

        Returns
        -------
        LevelMap
            For arrays of shape (cells ...), or (cells ..., k) as `forecast.combination.cdf_maps.remap` needs it.

        Examples
        --------
        >>> maps = ClassMaps({(): np.abs, ("active",): np.sqrt})
        >>> maps.at(["silent", "active"])([[0.25, 1.0], [0.25, 1.0]]).tolist()
        [[0.25, 1.0], [0.5, 1.0]]
        """
        return _ByCell(self, *_grouped(labels))


@dataclass(frozen=True, eq=False)
class _ByCell:
    """The maps of cells."""

    maps: ClassMaps
    distinct: list[Label]
    group: NDArray[np.intp]

    def __call__(self, level: ArrayLike) -> Floats:
        values = np.asarray(level, dtype=np.float64)
        if values.shape[: self.group.ndim] != self.group.shape:
            raise InputError(f"levels of shape {values.shape}", expected=f"{self.group.shape}, as the classes have")
        out = np.empty_like(values)
        for at, label in enumerate(self.distinct):
            here = self.group == at
            out[here] = self.maps.of(*label)(values[here])
        return out


def fit_cdf_classes(
    pairs: ArrayLike, labels: Sequence[ArrayLike], fit: CdfFit, *, weight: ArrayLike | None = None
) -> ClassMaps:
    r"""Return maps of distributions by class, each drawn to that of the coarser class.

    The pairs are mapped as their coarser class needs it, and a map of what is left is fitted in each finer class:

    .. math:: G_{\text{class}} = H_{\text{class}} \circ G_{\text{all}} .

    As the prior of a fit is worth so many cases of the identity, a class of few cases keeps the map of all (below the
    minimum exactly), and one of many gets its own.

    Parameters
    ----------
    pairs : array_like, shape (cases, 2)
        As for `forecast.combination.cdf_maps.fit_beta_map`.
    labels : sequence of array_like, each of shape (cases,)
        From coarse to fine, such as the horizon, then silent, low or active regions.
    fit : CdfFit
        Such as ``partial(fit_beta_map, prior=200)``.
    weight : array_like, shape (cases,), optional

    Raises
    ------
    InputError
        If there is not one label for each case.

    References
    ----------
    Shrinkage of groups to all in proportion to the evidence: Efron & Morris (1975),
    doi:10.1080/01621459.1975.10479864; here the amount of shrinkage is stated, not estimated.

    Examples
    --------
    >>> from forecast.combination.cdf_maps import fit_beta_map
    >>> pairs, region = [[0.4, 0.6]] * 1000 + [[0.0, 1.0]] * 50, ["active"] * 1000 + ["silent"] * 50
    >>> sorted(fit_cdf_classes(pairs, [region], fit_beta_map).maps)
    [(), ('active',), ('silent',)]
    """
    past = np.asarray(pairs, dtype=np.float64)
    each = case_weights(len(past), weight)
    return _nested(past, labels, lambda now, here: fit(now, weight=each[here]))


def fit_event_classes(
    probability: ArrayLike,
    outcome: ArrayLike,
    labels: Sequence[ArrayLike],
    fit: EventFit,
    *,
    weight: ArrayLike | None = None,
) -> ClassMaps:
    """Return maps of the probabilities of an event by class, each drawn to that of the coarser class.

    Parameters
    ----------
    probability, outcome : array_like, shape (cases,)
        As for `forecast.combination.event_maps.fit_isotonic_map`.
    labels, weight
        As for `fit_cdf_classes`.
    fit : EventFit
        Such as `forecast.combination.event_maps.fit_beta_calibration`.

    Examples
    --------
    >>> from forecast.combination.event_maps import fit_logit_map
    >>> maps = fit_event_classes([0.5] * 500, [1] * 400 + [0] * 100, [["active"] * 500], fit_logit_map)
    >>> maps.of("silent")(0.5).round(2), maps.of("active")(0.5).round(2)
    (np.float64(0.75), np.float64(0.79))
    """
    past, came = np.asarray(probability, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    each = case_weights(len(past), weight)
    return _nested(past, labels, lambda now, here: fit(now, came[here], weight=each[here]))


def _nested(
    past: Floats, labels: Sequence[ArrayLike], fit: Callable[[Floats, NDArray[np.bool_]], LevelMap]
) -> ClassMaps:
    """Fit the map of all, then of each class what the coarser maps leave, to the finest."""
    if any(np.shape(label) != (len(past),) for label in labels):
        raise InputError(f"labels of shapes {[np.shape(label) for label in labels]}", expected=f"({len(past)},) each")
    everything = np.ones(len(past), dtype=bool)
    maps: dict[Label, LevelMap] = {(): fit(past, everything)}
    now = maps[()](past)
    for depth in range(1, len(labels) + 1):
        distinct, group = _grouped(labels[:depth])
        for at, label in enumerate(distinct):
            here = group == at
            maps[label] = fit(now[here], here)
            now[here] = maps[label](now[here])
    return ClassMaps(maps)


def _grouped(labels: Sequence[ArrayLike]) -> tuple[list[Label], NDArray[np.intp]]:
    """Return the distinct labels in the order in which they come, and of each cell which of them it has."""
    if not labels:
        raise InputError("no labels", expected="at least one for each cell")
    columns = np.broadcast_arrays(*(np.asarray(label) for label in labels))
    number: dict[Label, int] = {}
    cells = zip(*(column.ravel().tolist() for column in columns), strict=True)
    group = [number.setdefault(label, len(number)) for label in cells]
    return list(number), np.array(group, dtype=np.intp).reshape(columns[0].shape)
