"""How probable is an event near a town? Three models, their pool and simple base rates, judged over four years.

All towns of 50,000 people and more of the embedded gazetteer in 18 countries of West Africa, radii of 50 and 100 km, 1
to 8 weeks ahead, weekly origins from 2016 (those whose eight weeks end by 2019). Each forecast sees only events before
its origin.

- space-time: self-excitation in space and time (`forecast/processes/spacetime/`), fitted on the last ten years; the
  background anew every 13 weeks, all else every week.
- regions: a model of the 288 regions, thinned to the ring (`forecast/predictive/thinning.py`).
- towns: a model of the counts around all towns at once, which shrinks them to each other.
- pool: the three together, by the mean of the logits; linear: by the mean of the probabilities.
- calibrated: the pool, its probabilities mapped by what had become by then of those before
  (`forecast/jobs/place_calibration.py`), for each radius and number of weeks.
- base-all, base-2y: how often it came true before, of all spans and of those of the last 104 weeks.
- base-pooled: the same over the last 104 weeks of all towns.
- kernel: the events of the last 52 weeks, each spread over a Gaussian of 25 km, as a Poisson process.

Reads the event file named in the data's README, from the folder in ``ESCALATION_FORECAST_SOURCES``. All probabilities
go to ``out/benchmarks/place_risk/``, a file for each quarter of a year: a run that was stopped goes on where it was.
Then `place_risk_scores` writes its tables. About a minute of processor time for 13 origins.

    ESCALATION_FORECAST_SOURCES=... python benchmarks/studies/place_risk.py --every 4
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import place_risk_scores
from numpy.typing import NDArray
from scipy.stats import ncx2

from forecast.families.model import ModelSpec
from forecast.families.protocol import Fitted
from forecast.panel.dataset import Dataset
from forecast.panel.panel import Panel
from forecast.panel.polygons import Polygons, read_polygons
from forecast.panel.rings import area_shares, ring_shares
from forecast.panel.units import Units, great_circle_km
from forecast.panel.weeks import WEEK
from forecast.predictive.place_pool import mean_odds
from forecast.predictive.thinning import thinned_probability
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.fit import fit
from forecast.processes.spacetime.fitted import FittedSpaceTime
from forecast.processes.spacetime.outlook import outlook
from forecast.provenance import generator
from forecast.storage import write_file
from forecast.workspace import open_workspace

Floats = NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[2]
FILE = "ucdp_ged211_precise_west_africa.csv.gz"
KEPT = ROOT / "out" / "benchmarks" / "place_risk"
LEAST_PEOPLE, RADII, HORIZON = 50_000, (50, 100), 8
EPOCH = pd.Timestamp("1989-01-01")
FIRST, LAST = pd.Timestamp("2016-01-02"), pd.Timestamp("2019-12-21")
MEMORY_DAYS = 3652.0
REFIT = 13
KERNEL_KM, KERNEL_WEEKS = 25.0, 52
SHARE_HALF_LIFE = 728.0
"""Days, of the events that say where in a region they happen."""
SEED = 1
FRONT = {"front": 50.0, "near": 150.0, "far": np.inf}
"""Upper limit in km of the distance to the nearest event of the last 52 weeks."""


def main() -> None:
    """Forecast quarter by quarter, then score all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="an origin every so many weeks")
    parser.add_argument("--regions-model", default="discrete-hawkes")
    parser.add_argument("--towns-model", default="discount-negbin")
    parser.add_argument("--paths", type=int, default=500)
    chosen = parser.parse_args()
    source = os.environ.get("ESCALATION_FORECAST_SOURCES")
    if not source or not (Path(source) / FILE).exists():
        sys.exit(f"skipped: {FILE} is not in the folder that ESCALATION_FORECAST_SOURCES names")
    catalogue = open_workspace(ROOT).catalogue
    regions_model, towns_model = catalogue[chosen.regions_model], catalogue[chosen.towns_model]
    question = Question.read(Path(source) / FILE)
    every = pd.date_range(FIRST, LAST - (HORIZON - 1) * WEEK, freq=WEEK)
    folder = KEPT / f"{regions_model.name}-{towns_model.name}-{chosen.paths}-every-{chosen.every}"
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(every), REFIT):
        path = folder / f"{every[start]:%Y-%m-%d}.parquet"
        if not path.exists():
            begun = time.process_time()
            origins = every[start : start + REFIT : chosen.every]
            said = forecasts(question, origins, regions_model, towns_model, paths=chosen.paths)
            write_file(path, said.to_parquet())
            print(f"{path.stem}: {len(origins)} origins, {time.process_time() - begun:.0f} s", file=sys.stderr)
    place_risk_scores.write(pd.concat([pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))]))


class Question:
    """Events, towns with rings, regions; and everything that is known at an origin and later.

    Attributes
    ----------
    events : DataFrame
        day (since `EPOCH`), latitude, longitude, region (position).
    towns : Units of kind "place"
    polygons : Polygons
    regions : Panel
        Weekly counts of the regions.
    counts : ndarray, shape (weeks, rings)
        Weekly counts around the towns, of the same weeks as `regions`.
    """

    def __init__(self, events: pd.DataFrame, towns: Units, polygons: Polygons, regions: Panel) -> None:
        self.events, self.towns, self.polygons, self.regions = events, towns, polygons, regions
        self.area = area_shares(towns, polygons)
        week = (events["day"].to_numpy() - (regions.weeks[0] - EPOCH).days) // 7
        inside = (week >= 0) & (week < len(regions.weeks))
        near = self.distances(events) <= towns.radius_km[:, None]
        self.counts = np.stack(
            [np.bincount(week[inside & mine].astype(int), minlength=len(regions.weeks)) for mine in near], axis=1
        )

    @classmethod
    def read(cls, path: Path) -> Question:
        """Read the events and the embedded towns and regions."""
        dataset = Dataset.open(ROOT / "data" / "west-africa-weekly")
        regions = dataset.region_panel()
        polygons = read_polygons(dataset.folder / "regions.geojson")
        raw = pd.read_csv(path)
        place = {name: at for at, name in enumerate(polygons.names)}
        events = pd.DataFrame(
            {
                "day": (pd.to_datetime(raw["date_start"]) - EPOCH).dt.days.astype(float),
                "latitude": raw["latitude"],
                "longitude": raw["longitude"],
                "region": (raw["country"] + "/" + raw["adm1"]).map(place).fillna(-1).astype(int),
            }
        ).sort_values("day", ignore_index=True)
        known = dataset.places()
        known = known[known["population"] >= LEAST_PEOPLE]
        rings = [(row, radius) for row in known.itertuples() for radius in RADII]
        towns = Units.of(
            [f"{row.place}, {row.country} {radius} km" for row, radius in rings],
            kind="place",
            groups=[row.country for row, _ in rings],
            latitude=[row.latitude for row, _ in rings],
            longitude=[row.longitude for row, _ in rings],
            radius_km=[float(radius) for _, radius in rings],
        )
        return cls(events, towns, polygons, regions)

    def distances(self, events: pd.DataFrame) -> Floats:
        """Return km between each ring's town and each event, shape (rings, events)."""
        lat, lon = events["latitude"].to_numpy(), events["longitude"].to_numpy()
        towns = self.towns
        return np.stack(
            [great_circle_km(towns.latitude[at], towns.longitude[at], lat, lon) for at in range(len(towns))]
        )

    def town_panel(self) -> Panel:
        """Return the counts around the towns as a panel."""
        return Panel.of(self.counts, self.regions.weeks, self.towns)

    def before(self, origin: pd.Timestamp) -> pd.DataFrame:
        """Return the events before an origin."""
        return self.events[self.events["day"] < (origin - EPOCH).days]

    def came(self, origin: pd.Timestamp) -> NDArray[np.bool_]:
        """Return whether there was an event up to the end of each week, shape (horizon, rings)."""
        first = self.regions.weeks.get_loc(origin)
        return np.cumsum(self.counts[first : first + HORIZON], axis=0) > 0


def forecasts(
    question: Question, origins: pd.DatetimeIndex, regions_model: ModelSpec, towns_model: ModelSpec, *, paths: int
) -> pd.DataFrame:
    """Return one row an origin, ring and number of weeks: what each model, fitted at the first, said, and what came."""
    fitted: FittedSpaceTime | None = None
    kept: dict[str, Fitted] = {}
    tables = []
    area = Area.of_polygons(question.polygons)
    for origin in origins:
        seen = question.before(origin)
        fitted = _followed(fitted, seen, area, origin)
        rng = generator(SEED, "place risk", f"{origin:%Y-%m-%d}")
        lat, lon, radius = question.towns.latitude, question.towns.longitude, question.towns.radius_km
        ahead = outlook(fitted, lat, lon, rng, radius_km=radius, weeks=HORIZON, paths=paths, parameter_draws=50)
        said = {"space-time": ahead.probability}
        for kind, spec, panel in (
            ("regions", regions_model, question.regions.until(origin)),
            ("towns", towns_model, question.town_panel().until(origin)),
        ):
            if kind not in kept:
                kept[kind] = spec.build().fit(panel, generator(SEED, kind))
            kept[kind] = kept[kind].update(panel)
            found = kept[kind].predict(HORIZON, paths, generator(SEED, kind, f"{origin:%Y-%m-%d}"))
            if kind == "regions":
                age = (origin - EPOCH).days - seen["day"].to_numpy()
                weight = 0.5 ** (age / SHARE_HALF_LIFE)
                shares = ring_shares(
                    question.towns, question.polygons, seen["latitude"], seen["longitude"], seen["region"], weight,
                    area=question.area,
                )  # fmt: skip
                said[kind] = thinned_probability(found.paths, shares)
            else:
                said[kind] = (np.cumsum(found.paths, axis=1) > 0).mean(axis=0)
        three = np.stack([said[name] for name in ("space-time", "regions", "towns")])
        said |= {"pool": mean_odds(three), "linear": three.mean(axis=0)}
        said |= _base_rates(question, seen, origin)
        tables.append(_rows(question, origin, seen, said))
    return pd.concat(tables, ignore_index=True)


def _followed(before: FittedSpaceTime | None, seen: pd.DataFrame, area: Area, origin: pd.Timestamp) -> FittedSpaceTime:
    """Return a fit to what is known; the background is that of an earlier fit if there is one."""
    end = float((origin - EPOCH).days)
    events = Catalogue.of(seen["day"], seen["latitude"], seen["longitude"], area, end=end)
    events = events.jittered(generator(SEED, "jitter", f"{origin:%Y-%m-%d}"))
    if before is None:
        return fit(events, since=end - MEMORY_DAYS)
    return fit(events, since=end - MEMORY_DAYS, start=before, background=before.background)


def _base_rates(question: Question, seen: pd.DataFrame, origin: pd.Timestamp) -> dict[str, Floats]:
    """Return the probabilities of the simple methods, each of shape (horizon, rings)."""
    first = question.regions.weeks.get_loc(origin)
    past = np.cumsum(np.vstack([np.zeros((1, len(question.towns)), int), question.counts[:first]]), axis=0)
    out = {name: np.empty((HORIZON, len(question.towns))) for name in ("base-all", "base-2y", "base-pooled")}
    radius = question.towns.radius_km
    for weeks in range(1, HORIZON + 1):
        came = past[weeks:] - past[:-weeks] > 0
        out["base-all"][weeks - 1] = came.mean(axis=0)
        out["base-2y"][weeks - 1] = came[-104:].mean(axis=0)
        for one in RADII:
            out["base-pooled"][weeks - 1, radius == one] = came[-104:, radius == one].mean()
    recent = seen[seen["day"] >= (origin - EPOCH).days - 7 * KERNEL_WEEKS]
    rate = _gaussian_mass(question.distances(recent), radius) / KERNEL_WEEKS
    out["kernel"] = 1 - np.exp(-np.arange(1, HORIZON + 1)[:, None] * rate)
    return out


def _gaussian_mass(distance: Floats, radius: Floats) -> Floats:
    """Return the expected events in each ring when each is spread over a Gaussian of `KERNEL_KM`."""
    scaled = (distance / KERNEL_KM) ** 2
    mass = np.zeros(distance.shape)
    reach = np.sqrt(scaled) < radius[:, None] / KERNEL_KM + 5
    inner = np.broadcast_to((radius[:, None] / KERNEL_KM) ** 2, distance.shape)
    mass[reach] = ncx2.cdf(inner[reach], 2, np.maximum(scaled[reach], 1e-9))
    return np.asarray(mass.sum(axis=1))


def _rows(question: Question, origin: pd.Timestamp, seen: pd.DataFrame, said: Mapping[str, Floats]) -> pd.DataFrame:
    recent = seen[seen["day"] >= (origin - EPOCH).days - 364]
    nearest = question.distances(recent).min(axis=1)
    place = np.searchsorted(list(FRONT.values()), nearest)
    rings = len(question.towns)
    return pd.DataFrame(
        {
            "origin": origin,
            "ring": np.tile(question.towns.names, HORIZON),
            "radius": np.tile(question.towns.radius_km.astype(int), HORIZON),
            "front": np.tile(np.array(list(FRONT))[np.minimum(place, len(FRONT) - 1)], HORIZON),
            "weeks": np.repeat(np.arange(1, HORIZON + 1), rings),
            "came": question.came(origin).ravel(),
            **{name: values.ravel() for name, values in said.items()},
        }
    )


if __name__ == "__main__":
    main()
