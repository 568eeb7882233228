"""What comes next near points: paths of weekly counts, probabilities, what they are made of, and maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from forecast.errors import InputError
from forecast.processes.simulate import MOST_EVENTS, too_many
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.fitted import FittedSpaceTime
from forecast.processes.spacetime.likelihood import Parameters
from forecast.processes.spacetime.simulate import Points, descendants, displaced, immigrants, joined, numbered
from forecast.processes.spacetime.sphere import checked_degrees, chord_km, vectors

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SMALLEST_KM = 10.0
"""Places of events are known to about as much; and risk nearer than that is nobody's business."""
PARTS = ("background", "recent events", "further events")


@dataclass(frozen=True, eq=False)
class Outlook:
    """Simulated events near points over the weeks after the end of a catalogue.

    Parameters
    ----------
    counts : array of int, shape (paths, weeks, points)
        Sample paths; points may share events.
    probability : array, shape (weeks, points)
        Of at least one event from the origin to the end of each week: it grows with the weeks, while `expected` and
        `parts` are of each week by itself.
    by_draw : array, shape (parameter draws, points)
        The same over all weeks for each draw of the parameters; its spread is that of the parameters and of the
        simulation.
    parts : array, shape (3, weeks, points)
        Expected counts of events of the background, direct offspring of events that were observed, and offspring of
        events that are themselves yet to come; their sum is the expected count.
    """

    counts: Integers
    probability: Floats
    by_draw: Floats
    parts: Floats

    @property
    def expected(self) -> Floats:
        """Expected count of each week, shape (weeks, points)."""
        return np.asarray(self.parts.sum(axis=0))

    def table(self, names: Sequence[str]) -> pd.DataFrame:
        """Return a row a point, over all weeks.

        Returns
        -------
        DataFrame
            Index names; probability, expected, and the share of each of `PARTS` in the expected count.
        """
        total = self.expected.sum(axis=0)
        shares = self.parts.sum(axis=1) / np.where(total > 0, total, 1.0)
        columns = {"probability": self.probability[-1], "expected": total, **dict(zip(PARTS, shares, strict=True))}
        return pd.DataFrame(columns, index=list(names))


def outlook(
    fits: FittedSpaceTime | Sequence[FittedSpaceTime],
    latitude: ArrayLike,
    longitude: ArrayLike,
    rng: np.random.Generator,
    *,
    radius_km: ArrayLike = 50.0,
    weeks: int = 4,
    paths: int = 2000,
    parameter_draws: int = 100,
    kind: str | None = None,
) -> Outlook:
    r"""Simulate what follows a catalogue and count it near points.

    The future has three sources: new events of the background, offspring that observed events have not had yet, and
    the descendants of both. Paths are shared out among the fits (of differently jittered catalogues), and within each
    among draws of its parameters, in which the levels go on as random walks.

    No event happens near a point if no background event does and no other family reaches it; the former is Poisson and
    independent of the latter. Its probability is therefore the mean over paths of
    :math:`e^{-\Lambda} [\text{no event of a family that did not begin there}]`, with the expected number of background
    events :math:`\Lambda` known: rare events are not left to the luck of the draw.

    Parameters
    ----------
    fits : FittedSpaceTime or sequence of it
    latitude, longitude : array, shape (points,)
        Degrees.
    rng : Generator
    radius_km : float or array, shape (points,), default 50
        At least 10.
    weeks : int, default 4
        Seven days each, from the end of the catalogue.
    paths : int, default 2000
    parameter_draws : int, default 100
        0 takes the estimates as known, levels included.
    kind : str, optional
        Count only events of this kind.

    Raises
    ------
    InputError
        If a point is off the globe, a radius is below 10 km, the kind is unknown, or the simulation explodes.

    Examples
    --------
    >>> from forecast.processes.spacetime.area import Area
    >>> from forecast.processes.spacetime.background import Background
    >>> from forecast.processes.spacetime.decays import Exponential, gaussian
    >>> from forecast.processes.spacetime.fit import fit
    >>> from forecast.processes.spacetime.simulate import simulate
    >>> truth = Parameters(np.log([[0.5]]), np.array([[0.4]]), Exponential(10.0, 100.0), gaussian(15.0, 100.0))
    >>> uniform = (Background.uniform(Area.box(0.0, 0.0, 3.0, 3.0)),)
    >>> found = fit(simulate(truth, uniform, 500.0, np.random.default_rng(1)), background=uniform)
    >>> ahead = outlook(found, [1.5], [1.5], np.random.default_rng(2), radius_km=50.0, paths=500)
    >>> ahead.counts.shape, bool(0 < ahead.probability[-1, 0] < 1)
    ((500, 4, 1), True)
    """
    every = [fits] if isinstance(fits, FittedSpaceTime) else list(fits)
    lat, lon = checked_degrees(latitude, longitude, "point")
    radius = np.broadcast_to(np.asarray(radius_km, dtype=np.float64), lat.shape)
    _check(every, radius, weeks, paths, parameter_draws)
    names = every[0].catalogue.names
    if kind is not None and kind not in names:
        raise InputError(f"no kind {kind!r}", expected=f"one of {', '.join(names)}")
    wanted = None if kind is None else names.index(kind)
    here, chords = vectors(lat, lon), np.array([chord_km(r) for r in radius])
    counts = np.zeros((paths, weeks, len(lat)), dtype=np.int64)
    parts = np.zeros((3, weeks, len(lat)))
    none = np.ones((paths, weeks, len(lat)))
    groups: list[Integers] = []
    shares = np.array_split(np.arange(paths), len(every))
    for found, mine in zip(every, shares, strict=True):
        mass = np.array([one.within(lat, lon, radius) for one in found.background])
        draws = max(parameter_draws // len(every), 1) if parameter_draws else 0
        for group, future in _futures(found, mine, 7.0 * weeks, draws, rng):
            groups.append(group)
            rates = future.rates if wanted is None else np.where(np.arange(len(names)) == wanted, future.rates, 0.0)
            near = _hits(future, here, chords, found.catalogue.end, weeks, wanted)
            shape = (len(group), weeks, len(lat))
            flat = np.ravel_multi_index((near.path, near.week, near.point), shape)
            counts[group] = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
            for part in (1, 2):
                of = near.part == part
                parts[part] += np.bincount(
                    near.week[of] * len(lat) + near.point[of], minlength=weeks * len(lat)
                ).reshape(weeks, len(lat))
            known = rates @ mass  # background events a day within each radius
            parts[0] += 7.0 * len(group) * known
            first = np.full((len(group), len(lat)), weeks)
            np.minimum.at(first, (near.path[near.foreign], near.point[near.foreign]), near.week[near.foreign])
            ends = np.arange(1, weeks + 1)[:, None]
            none[group] = np.exp(-7.0 * ends * known) * (first[:, None, :] >= ends)
    by_draw = np.array([1.0 - none[group, -1].mean(axis=0) for group in groups])
    return Outlook(counts, 1.0 - none.mean(axis=0), by_draw, parts / paths)


def expected_cells(
    fits: FittedSpaceTime | Sequence[FittedSpaceTime],
    rng: np.random.Generator,
    *,
    weeks: int = 4,
    paths: int = 2000,
    parameter_draws: int = 100,
) -> Floats:
    """Return the expected count of each cell of the area over the weeks ahead, shape (cells,); see `outlook`.

    That of the background is exact, the rest simulated.
    """
    every = [fits] if isinstance(fits, FittedSpaceTime) else list(fits)
    _check(every, np.array([np.inf]), weeks, paths, parameter_draws)
    area = every[0].catalogue.area
    total = np.zeros(len(area))
    for found, mine in zip(every, np.array_split(np.arange(paths), len(every)), strict=True):
        draws = max(parameter_draws // len(every), 1) if parameter_draws else 0
        for group, future in _futures(found, mine, 7.0 * weeks, draws, rng):
            density = sum(rate * one.density for rate, one in zip(future.rates, found.background, strict=True))
            total += 7.0 * weeks * len(group) * density * area.sizes
            rest = slice(future.begun[0], None)
            cells = area.locate(future.points.latitude[rest], future.points.longitude[rest])
            total += np.bincount(cells, minlength=len(area))
    return np.asarray(total / paths)


@dataclass(frozen=True, eq=False)
class _Future:
    """Simulated events: first those of the background, then direct offspring of observed ones, then the rest."""

    points: Points
    begun: tuple[int, int]
    rates: Floats


@dataclass(frozen=True, eq=False)
class _Hits:
    """Events near points; foreign are those of families that did not begin there as background."""

    path: Integers
    week: Integers
    point: Integers
    part: Integers
    foreign: NDArray[np.bool_]


def _check(fits: Sequence[FittedSpaceTime], radius: Floats, weeks: int, paths: int, parameter_draws: int) -> None:
    if not fits:
        raise InputError("no fit", where="fits", expected="at least one")
    if not (radius >= SMALLEST_KM).all():
        raise InputError(
            f"a radius of {np.min(radius):g} km", where="radius_km", expected=f"at least {SMALLEST_KM:g} km",
            hint="events are known to their town, not to a street",
        )  # fmt: skip
    if weeks < 1 or paths < len(fits) or parameter_draws < 0:
        raise InputError(
            f"{weeks} weeks, {paths} paths and {parameter_draws} draws",
            expected=f"at least 1 week, {len(fits)} paths, and no negative number of draws",
        )


def _futures(
    found: FittedSpaceTime, paths: Integers, days: float, draws: int, rng: np.random.Generator
) -> Iterator[tuple[Integers, _Future]]:
    """Simulate groups of paths, each with parameters of its own."""
    for group in np.array_split(paths, min(draws, len(paths))) if draws else [paths]:
        at = found.draw(rng) if draws else found.parameters
        rates = found.ahead(at, days, rng if draws else None)
        events, end = found.catalogue, found.catalogue.end + days
        background = immigrants(rates, found.background, events.end, end, len(group), rng)
        pending = _pending(at, events, days, len(group), rng)
        founders = numbered(joined([background, pending]))
        points = descendants(at, events.area, founders, end, rng)
        begun = len(background.time), len(founders.time)
        yield group, _Future(points, begun, rates)


def _pending(at: Parameters, events: Catalogue, days: float, paths: int, rng: np.random.Generator) -> Points:
    """Draw the direct offspring that observed events have within the days ahead."""
    recent = np.searchsorted(events.times, events.end - at.in_time.upto)
    age = events.end - events.times[recent:]
    gone = at.in_time.cumulative(age)
    due = at.in_time.cumulative(age + days) - gone
    parts = []
    for kind, row in enumerate(at.branching):
        mean = row[events.kinds[recent:]] * due
        total = float(mean.sum())
        if total * paths > MOST_EVENTS:
            raise too_many(total * paths)
        path = np.repeat(np.arange(paths), rng.poisson(total, paths))
        upto = np.cumsum(mean)
        parent = np.searchsorted(upto, rng.random(len(path)) * total, side="right") if len(path) else path
        parent = np.minimum(parent, max(len(mean) - 1, 0))
        share = np.minimum(gone[parent] + rng.random(len(path)) * due[parent], 1.0)
        time = events.end + np.clip(at.in_time.quantile(share) - age[parent], 0.0, days)
        lat, lon = displaced(
            at.in_space, events.area, events.latitude[recent:][parent], events.longitude[recent:][parent], rng
        )
        parts.append(Points(path, np.full(len(path), kind), time, lat, lon, np.zeros(len(path), dtype=np.int64)))
    return joined(parts)


def _hits(future: _Future, here: Floats, chords: Floats, origin: float, weeks: int, kind: int | None) -> _Hits:
    points = future.points
    tree = cKDTree(vectors(points.latitude, points.longitude).reshape(-1, 3))
    near = tree.query_ball_point(here, chords, return_sorted=False)
    point = np.repeat(np.arange(len(here)), [len(found) for found in near])
    event = np.concatenate([np.asarray(found, dtype=np.int64) for found in near])
    if kind is not None:
        of = points.kind[event] == kind
        point, event = point[of], event[of]
    # (family, point) of background events near a point; a family's number is the position of its founder.
    key = points.family[event] * len(here) + point
    local = event < future.begun[0]
    foreign = ~np.isin(key, key[local])
    week = np.clip(np.floor((points.time[event] - origin) / 7.0).astype(np.int64), 0, weeks - 1)
    part = np.where(local, 0, np.where(event < future.begun[1], 1, 2))
    return _Hits(points.path[event], week, point, part, foreign)
