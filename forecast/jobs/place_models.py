"""The three models of the risk near a place, each asked again and again at later origins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import threadpoolctl
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.families.model import ModelSpec
from forecast.families.nowcasted import predict_as_known
from forecast.families.protocol import Fitted
from forecast.jobs.inputs import Inputs, fit_panels
from forecast.jobs.place_events import PlaceEvents, SeenEvents, since_1970
from forecast.panel.panel import Panel
from forecast.panel.rings import PRIOR_EVENTS, area_shares, count_shares, ring_shares
from forecast.panel.units import UnitKind, Units
from forecast.panel.weeks import WEEK
from forecast.predictive.escalation import AnyEvent, probability
from forecast.predictive.forecast import Forecast
from forecast.predictive.place_pool import LEVEL, View
from forecast.predictive.thinning import thinned_mean, thinned_probability
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.fit import fit
from forecast.processes.spacetime.fitted import FittedSpaceTime
from forecast.processes.spacetime.follow import followed
from forecast.processes.spacetime.outlook import PARTS, outlook
from forecast.provenance import generator
from forecast.workspace import Workspace

Floats = NDArray[np.float64]

REGIONS_MODEL = "discrete-hawkes"
"""Of the regions, where the catalogue has it: the one that was tested on this question. The headline model else."""
MEMORY_DAYS = 3652.0
"""The density of the background does not change: ten years suit it better than thirty."""
SHARE_HALF_LIFE = 728.0
"""Days, of the events that say where in a region they happen."""
CELL_STEPS, MOST_CELLS = (0.1, 0.2, 0.4, 0.8), 30_000
"""Sides of the study area's cells in degrees, the first with which it has no more cells than this."""
PARAMETER_DRAWS = 100
MOSTLY = 0.9
"""With less of the ring than this in the regions that are forecast, it is said how much."""


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked: how probable an event near one place is over so many weeks.

    Parameters
    ----------
    workspace : Workspace
    inputs : Inputs
        Until the last origin; with the place among its places.
    events : PlaceEvents
    at : int
        Position of the place among the places.
    weeks : int
    """

    workspace: Workspace
    inputs: Inputs
    events: PlaceEvents
    at: int
    weeks: int

    @property
    def place(self) -> Units:
        """The place, alone."""
        return self.places.take(np.array([self.at]))

    @property
    def places(self) -> Units:
        """The place among all others of the workspace."""
        return self.inputs.panels["place"].units

    @property
    def rule(self) -> AnyEvent:
        """The question as a rule."""
        return AnyEvent(name="any_event", rule="any_event", weeks=self.weeks)

    def panel(self, kind: UnitKind, origin: pd.Timestamp) -> Panel:
        """Return what was known at an origin; at the last one, all that is known."""
        panel = self.inputs.panels[kind]
        return panel if origin == panel.origin else self.inputs.known(kind, origin)

    def rng(self, *names: str) -> np.random.Generator:
        """Return a generator of the workspace's seed."""
        return generator(self.workspace.spec.backtest.seed, *names)

    def headline(self) -> ModelSpec:
        """Return the model that the report speaks for."""
        return self.workspace.headline_model()

    def counts_events(self) -> None:
        """Refuse what asks for counts of events where those of something else are forecast."""
        measure = self.workspace.spec.data.measure
        if measure not in {None, "events", "events_precise"}:
            raise InputError(f"the counts are of {measure}, and a single event may count for several")


@dataclass(eq=False)
class SpaceTime:
    """Self-excitation in space and time, on single events."""

    question: Question
    name: str = "space-time"
    model: str = "space-time"
    _fitted: FittedSpaceTime | None = None

    def view(self, origin: pd.Timestamp, *, anew: bool, draws: int, everywhere: bool) -> View:
        """Return what it says at an origin: fitted anew, or only followed from an earlier fit.

        With `everywhere` of all places of the workspace as well, from the same paths.

        Raises
        ------
        InputError
            If it cannot tell, with the reason.
        """
        asked = self.question
        asked.counts_events()
        seen = asked.events.seen(origin)
        if seen is None:
            raise InputError("the data have no single events, only counts")
        events = self._catalogue(seen, origin).jittered(asked.rng("place jitter", f"{origin:%Y-%m-%d}"))
        since = max(events.start, events.end - MEMORY_DAYS)
        if anew or self._fitted is None:
            self._fitted = fit(events, since=since)
        else:
            self._fitted = followed(self._fitted, events)
        places, at = (asked.places, asked.at) if everywhere else (asked.place, 0)
        lat, lon, radius = places.latitude, places.longitude, places.radius_km
        known = np.sum([one.within(lat, lon, radius) for one in self._fitted.background], axis=0) > 0
        if not known[at]:
            raise InputError("the place lies outside of the area in which events are known")
        rng = asked.rng("place outlook", places.names[at], f"{origin:%Y-%m-%d}")
        ahead = outlook(
            self._fitted, lat, lon, rng,
            radius_km=radius, weeks=asked.weeks, paths=draws, parameter_draws=PARAMETER_DRAWS,
        )  # fmt: skip
        low, high = np.quantile(ahead.by_draw[:, at], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        parts = ahead.parts.sum(axis=1)[:, at]
        return View(
            self.name, self.model, float(ahead.probability[-1, at]), float(parts.sum()),
            ahead.counts[:, :, at].sum(axis=1), float(low), float(high),
            dict(zip(PARTS, parts.tolist(), strict=True)),
            np.where(known, ahead.probability[-1], np.nan) if everywhere else np.empty(0),
        )  # fmt: skip

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the last fit can put its forecasts wrong."""
        return tuple(text for text in self._told if not _of_intervals(text))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What of the last fit can put only its ranges wrong, and what it does not see."""
        blind = "it takes the events of the last weeks as complete: it has no nowcast"
        intervals = tuple(text for text in self._told if _of_intervals(text))
        return (*intervals, *([blind] if self.question.inputs.nowcast_weeks else []))

    @property
    def _told(self) -> tuple[str, ...]:
        tied = ("the time of another", "not ascending")  # of whole days, which jitter has taken apart
        told = () if self._fitted is None else self._fitted.remarks
        return tuple(text for text in told if not any(sign in text for sign in tied))

    @cached_property
    def _area(self) -> Area:
        for step in CELL_STEPS:
            area = Area.of_polygons(self.question.events.area, step=step)
            if len(area) <= MOST_CELLS:
                break
        return area

    def _catalogue(self, seen: SeenEvents, origin: pd.Timestamp) -> Catalogue:
        """Return the events since the weeks are known without a gap."""
        panel = self.question.panel("region", origin)
        gaps = np.flatnonzero(~panel.observed.any(axis=1))
        first = int(gaps[-1]) + 1 if len(gaps) else 0
        if first == len(panel.weeks):
            raise InputError("the last week is not known")
        start = float(since_1970(panel.weeks[first]))
        seen = seen.where(seen.precise & (seen.day >= start))
        seen = seen.where(self._area.locate(seen.latitude, seen.longitude) >= 0)
        if not len(seen):
            raise InputError("no single event is known")
        end = float(since_1970(origin))
        return Catalogue.of(seen.day, seen.latitude, seen.longitude, self._area, end=end, start=start)


def _of_intervals(remark: str) -> bool:
    return "no interval" in remark or "intervals are" in remark


@dataclass(eq=False)
class _Panels:
    """A model of the catalogue on one kind of unit, fitted now and then and updated in between."""

    question: Question
    kind: UnitKind
    spec: ModelSpec
    _fitted: Fitted | None = None
    warnings: tuple[str, ...] = ()
    """What went otherwise than usual in the last fit."""

    @property
    def model(self) -> str:
        """Name in the catalogue."""
        return self.spec.name

    def forecast(self, origin: pd.Timestamp, *, anew: bool) -> Forecast:
        """Return the forecast of an origin, the same as that of a run where the model is fitted anew."""
        asked, day = self.question, f"{origin:%Y-%m-%d}"
        panel, workspace = asked.panel(self.kind, origin), asked.workspace
        if anew or self._fitted is None:
            rng = asked.rng("fit", self.spec.name, self.kind, day)
            self._fitted = self.spec.fit(panel, rng, fit_panel=self._fit_panel)
        else:
            self._fitted = self._fitted.update(panel)
        rng = asked.rng("predict", self.spec.name, self.kind, day)
        horizon, draws = max(asked.weeks, workspace.spec.report.horizon), workspace.spec.report.draws
        found = predict_as_known(self._fitted, panel, asked.inputs.delay(self.kind, origin), horizon, draws, rng)
        self.warnings = found.remarks
        return found

    @cached_property
    def _fit_panel(self) -> Panel | None:
        asked = self.question
        fits = fit_panels(asked.workspace, [self.spec], asked.inputs.panels)
        return fits.get((self.spec.fit_on, self.kind)) if self.spec.fit_on else None


class Towns(_Panels):
    """The headline model on the counts around all places, which shrinks them to each other."""

    name = "towns"

    def __init__(self, question: Question) -> None:
        super().__init__(question, "place", question.headline())

    def view(self, origin: pd.Timestamp, *, anew: bool, draws: int, everywhere: bool) -> View:
        """Return what it says at an origin; `draws` is that of the report, and it always speaks of all places."""
        del draws, everywhere
        asked, found = self.question, self.forecast(origin, anew=anew)
        chances = probability(asked.rule, found, asked.panel("place", origin))
        mean = float(found.mean()[: asked.weeks, asked.at].sum())
        counts = found.paths[:, : asked.weeks, asked.at].sum(axis=1, dtype=np.int64)
        return View(self.name, self.model, float(chances[asked.at]), mean, counts, everywhere=chances)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Where its parameters come from, if not from rings of this radius."""
        panel, radius = self._fit_panel, float(self.question.place.radius_km[0])
        if panel is None or radius in (radii := sorted(set(panel.units.radius_km.tolist()))):
            return ()
        rings = " and ".join(f"{one:g}" for one in radii)
        return (f"its parameters are fitted on rings of {rings} km, as {self.spec.fit_on} has none of {radius:g} km",)


class Regions(_Panels):
    """A model of the regions' counts, thinned to the part of them that falls within the ring."""

    name = "regions"

    def __init__(self, question: Question) -> None:
        spec = question.workspace.catalogue.get(REGIONS_MODEL, question.headline())
        super().__init__(question, "region", spec)

    def view(self, origin: pd.Timestamp, *, anew: bool, draws: int, everywhere: bool) -> View:
        """Return what it says at an origin; `draws` is that of the report.

        With `everywhere` of all places of the workspace as well.

        Raises
        ------
        InputError
            If it cannot tell, with the reason.
        """
        del draws
        asked = self.question
        asked.counts_events()
        if not self.area[asked.at].any():
            raise InputError("the ring touches none of the regions that are forecast")
        every = self.shares(origin)
        shares = every[[asked.at]]
        paths = self.forecast(origin, anew=anew).paths[:, : asked.weeks]
        rng = asked.rng("place thinning", asked.place.names[0], f"{origin:%Y-%m-%d}")
        counts = rng.binomial(paths.sum(axis=1, dtype=np.int64), shares).sum(axis=1)
        chance, mean = thinned_probability(paths, shares)[-1, 0], thinned_mean(paths, shares)[:, 0].sum()
        chances = np.empty(0)
        if everywhere:
            chances = np.where(self.area.any(axis=1), thinned_probability(paths, every)[-1], np.nan)
        return View(self.name, self.model, float(chance), float(mean), counts, everywhere=chances)

    @property
    def remarks(self) -> tuple[str, ...]:
        """How much of the ring it does not see."""
        ring = np.pi * float(self.question.place.radius_km[0]) ** 2
        inside = float(self.area[self.question.at] @ self.question.events.sizes_km2) / ring
        blind = (
            f"{100 * inside:.0f} % of the ring lies in the regions that are forecast, and it sees nothing of the rest, "
            "which may be sea or another country"
        )
        return (blind,) if inside < MOSTLY else ()

    @cached_property
    def area(self) -> Floats:
        """Share of each region's area within the ring of each place, shape (places, regions)."""
        return area_shares(self.question.places, self.question.events.regions)

    def shares(self, origin: pd.Timestamp) -> Floats:
        """Return the share of each region's events that is expected within each ring, shape (places, regions)."""
        asked, seen = self.question, self.question.events.seen(origin)
        panel = asked.panel("region", origin)
        if seen is None:
            ring = asked.panel("place", origin)
            age = np.asarray((origin - panel.weeks) / WEEK, dtype=np.float64) * 7.0
            weight = 0.5 ** (age / SHARE_HALF_LIFE)
            inside, counts = weight @ (ring.counts * ring.observed), weight @ (panel.counts * panel.observed)
            every = zip(self.area, inside.tolist(), strict=True)
            return np.array([count_shares(area, one, counts) for area, one in every])
        weight = 0.5 ** ((since_1970(origin) - seen.day) / SHARE_HALF_LIFE)
        near, of = seen.where(seen.precise), weight[seen.precise]
        share = ring_shares(
            asked.places, asked.events.regions, near.latitude, near.longitude, near.region, of, area=self.area
        )
        # What is known to a region only is not counted around places.
        total, told = (
            np.bincount(region[region >= 0], w[region >= 0], share.shape[1]) + PRIOR_EVENTS
            for region, w in ((seen.region, weight), (near.region, of))
        )
        return np.asarray(share * told / total)


MODELS = (SpaceTime, Regions, Towns)


@dataclass(frozen=True)
class Answers:
    """What one model says at some origins, one after another.

    Parameters
    ----------
    name : str
    views : tuple of View or str
        Instead of a view, the reason why it cannot tell.
    warnings, remarks : tuple of str
        On the last of them: what went otherwise than usual, and what the model does not see.
    """

    name: str
    views: tuple[View | str, ...]
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]


def ask(
    model: type[SpaceTime | Regions | Towns],
    question: Question,
    origins: Sequence[pd.Timestamp],
    draws: int,
    everywhere: bool = False,
) -> Answers:
    """Fit a model at the first of some ascending origins, and ask it there and at the later ones.

    With `everywhere` also about the other places of the workspace.
    """
    asked, views = model(question), list[View | str]()
    with threadpoolctl.threadpool_limits(1):  # how many threads there are can change the last bits of a sum
        for at, origin in enumerate(origins):
            try:
                views.append(asked.view(origin, anew=at == 0, draws=draws, everywhere=everywhere))
            except InputError as error:
                views.append(error.what)
    if not views or isinstance(views[-1], str):
        return Answers(asked.name, tuple(views), (), ())
    return Answers(asked.name, tuple(views), asked.warnings, asked.remarks)
