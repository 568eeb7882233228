"""Simulation by clusters: founders, their offspring, and so on, in space and time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.processes.simulate import MOST_EVENTS, too_many
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.background import Background
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.decays import Decay
from forecast.processes.spacetime.likelihood import Parameters
from forecast.processes.spacetime.sphere import moved

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TRIES = 50
"""So often an offspring that fell outside the area is placed anew, before it is placed at its parent."""


class Points(NamedTuple):
    """Simulated events of many paths.

    Parameters
    ----------
    path, kind : array of int, shape (events,)
    time : array, shape (events,)
    latitude, longitude : array, shape (events,)
    family : array of int, shape (events,)
        Number of the founder that an event descends from, or is.
    """

    path: Integers
    kind: Integers
    time: Floats
    latitude: Floats
    longitude: Floats
    family: Integers


def simulate(
    parameters: Parameters,
    background: Sequence[Background],
    end: float,
    rng: np.random.Generator,
    *,
    names: Sequence[str] | None = None,
) -> Catalogue:
    """Simulate a catalogue from an empty start at time 0, levels in equal steps.

    Parameters
    ----------
    parameters : Parameters
    background : sequence of Background
        One a kind, of one area.
    end : float
        Days.
    rng : Generator
    names : sequence of str, optional
        Of the kinds.

    Raises
    ------
    InputError
        If no event happened, or more than 20 million would.
    """
    edges = np.linspace(0.0, end, parameters.levels.shape[1] + 1)
    founded = [
        immigrants(np.exp(parameters.levels[:, s]), background, edges[s], edges[s + 1], 1, rng)
        for s in range(len(edges) - 1)
    ]
    area = background[0].area
    every = descendants(parameters, area, numbered(joined(founded)), end, rng)
    if not len(every.time):
        raise InputError("no event happened", where="simulation", hint="a longer window or a higher level")
    order = np.argsort(every.time, kind="stable")
    labels = names or [str(k) for k in range(len(background))]
    return Catalogue.of(
        every.time[order], every.latitude[order], every.longitude[order], area,
        end=end, kinds=every.kind[order], names=labels,
    )  # fmt: skip


def immigrants(
    rates: Floats, background: Sequence[Background], start: float, end: float, paths: int, rng: np.random.Generator
) -> Points:
    """Draw the events of the background, whose rates are events a day of each kind."""
    if rates.sum() * (end - start) * paths > MOST_EVENTS:
        raise too_many(float(rates.sum() * (end - start) * paths))
    parts = []
    for kind, (rate, one) in enumerate(zip(rates, background, strict=True)):
        path = np.repeat(np.arange(paths), rng.poisson(rate * (end - start), paths))
        time = start + (end - start) * rng.random(len(path))
        lat, lon = one.draw(len(path), rng)
        parts.append(Points(path, np.full(len(path), kind), time, lat, lon, np.zeros(len(path), dtype=np.int64)))
    return joined(parts)


def descendants(parameters: Parameters, area: Area, founders: Points, end: float, rng: np.random.Generator) -> Points:
    """Return the founders, first, and all that follow from them before the end."""
    generations, total = [founders], len(founders.time)
    while len(generations[-1].time):
        generations.append(_offspring(parameters, area, generations[-1], end, rng))
        total += len(generations[-1].time)
        if total > MOST_EVENTS:
            raise too_many(total)
    return joined(generations)


def _offspring(parameters: Parameters, area: Area, parents: Points, end: float, rng: np.random.Generator) -> Points:
    soon = parameters.in_time.cumulative(end - parents.time)  # the share that is born before the end
    parts = []
    for kind, row in enumerate(parameters.branching):
        parent = np.repeat(np.arange(len(parents.time)), rng.poisson(row[parents.kind] * soon))
        time = parents.time[parent] + parameters.in_time.quantile(rng.random(len(parent)) * soon[parent])
        lat, lon = displaced(parameters.in_space, area, parents.latitude[parent], parents.longitude[parent], rng)
        new = np.full(len(parent), kind)
        parts.append(Points(parents.path[parent], new, time, lat, lon, parents.family[parent]))
    return joined(parts)


def displaced(
    in_space: Decay, area: Area, latitude: Floats, longitude: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return points around others, inside the area."""
    lat, lon = latitude.copy(), longitude.copy()
    left = np.arange(len(lat))
    for _ in range(TRIES):
        if not len(left):
            break
        square, bearing = in_space.quantile(rng.random(len(left))), 2 * np.pi * rng.random(len(left))
        there = moved(latitude[left], longitude[left], square, bearing)
        inside = area.locate(*there) >= 0
        lat[left[inside]], lon[left[inside]] = there[0][inside], there[1][inside]
        left = left[~inside]
    return lat, lon


def joined(parts: Sequence[Points]) -> Points:
    """Return the events of all parts, one after the other."""
    return Points(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def numbered(founders: Points) -> Points:
    """Return founders as families of their own."""
    return founders._replace(family=np.arange(len(founders.time)))
