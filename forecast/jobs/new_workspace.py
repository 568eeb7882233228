"""New workspaces: for other countries and data, and for simulated data."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined

from forecast.combination.settings import Combination
from forecast.errors import InputError, unknown_name
from forecast.panel.dataset import PACKAGE_NAME, Dataset
from forecast.panel.table import panel_from_counts, usual_week_start
from forecast.panel.weeks import WeekStart
from forecast.simulation.simulated_set import simulate_set
from forecast.storage import folder_in_progress
from forecast.tabular import read_table
from forecast.workspace import CONFIG_NAME, Workspace, open_workspace

TOWNS_A_COUNTRY = 3
MOST_TOWNS = 12
RADIUS_KM = 100
COLUMNS = ("week", "region", "events")
TABLE_COLUMNS = {"week": "week", "region": "region", "count": "events", "country": "country"}
"""Keys of ``[data.columns]``, and the names by which a table's columns are known without being told."""
WINDOW, LEAST_WINDOW, FIRST_AFTER = 52, 4, 8
"""Weeks of a rule's window, at most and at least; weeks known before the first origin of a backtest, at least."""
SHORT_WEEKS = 104
"""Data of fewer weeks are joined by a longer set of the same countries to calibrate on."""
FROM_LONG_DATA = frozenset({"direct-endemic"})
"""Models that are of use only after a fit on `SHORT_WEEKS` weeks or more: on fewer they know no season, and say so."""


def create_workspace(
    target: Path, source: Workspace, data: str | None = None, countries: Sequence[str] = (), title: str | None = None
) -> Workspace:
    """Make a workspace in a new folder, from the catalogue, reports and datasets of another one.

    Parameters
    ----------
    target : Path
        Must not exist, or be empty.
    source : Workspace
        Usually the reference workspace.
    data : str, optional
        A dataset of `source`; the one that it uses if not given.
    countries : sequence of str
        All of the dataset, or those of `source` if it uses the same set, if not given.
    title : str, optional
        The countries if not given.

    Returns
    -------
    Workspace
        Its places are the three largest towns of each country, 12 at most, or those of `source` if neither the data
        nor the countries are others.

    Raises
    ------
    InputError
        If the folder is not empty, or a dataset or country is unknown.
    """
    spec = source.spec
    name = data or spec.data.set
    sets = datasets_of(source)
    if name not in sets:
        raise unknown_name("dataset", str(name), sets)
    dataset = sets[str(name)]
    same = name == spec.data.set and not countries
    chosen = list(spec.regions.countries if same else countries)
    panel = dataset.region_panel(countries=chosen)
    present = sorted(set(panel.units.groups))
    if same:
        places = [(place.name, place.radius_km) for place in spec.places]
        calibrate_on = list(spec.data.calibrate_on)
    else:
        places = largest_towns(dataset.places(), present)
        calibrate_on = _longer_set(sets, str(name), present) if len(panel.weeks) < SHORT_WEEKS else []
    used = source.models()
    needed = {model.fit_on for model in used if model.fit_on} & _with_countries(sets, present)
    with new_folder(target) as work:
        copy_catalogue(source, work, datasets=needed)
        for folder in sorted({str(name), *calibrate_on, *needed}):
            shutil.copytree(sets[folder].folder, work / "data" / folder, ignore=shutil.ignore_patterns("*.py", "__*"))
        text = workspace_file(
            title=title or (spec.title if same else ", ".join(chosen) or dataset.spec.title),
            set=str(name),
            calibrate_on=calibrate_on,
            countries=chosen,
            places=places,
            choice=_choice(source, len(panel.weeks), needed),
        )
        (work / CONFIG_NAME).write_text(text, encoding="utf-8", newline="\n")
        open_workspace(work)
    return open_workspace(target)


def table_workspace(target: Path, source: Workspace, table: Path, title: str | None = None) -> Workspace:
    """Make a workspace for a plain table of counts in a new folder; the table is copied into it.

    Models with `fit_on` keep it where that dataset has the countries of the table, and weeks of the same days. Those
    that a short table alone cannot teach do not run.

    Parameters
    ----------
    target : Path
        Must not exist, or be empty.
    source : Workspace
        Its models and reports are taken.
    table : Path
        CSV or parquet with the columns ``week``, ``region``, ``events`` and, if there is one, ``country``.
    title : str, optional
        The name of the file if not given.

    Raises
    ------
    InputError
        If the folder is not empty, or for whatever is wrong in the table.
    """
    read = read_table(table)
    read.require(*COLUMNS)
    columns = {key: column for key, column in TABLE_COLUMNS.items() if column in read.frame}
    week_start = usual_week_start(read.days(columns["week"]))
    panel = panel_from_counts(read, country=columns.get("country"), week_start=week_start)
    weeks = len(panel.weeks)
    sets = {name: each for name, each in datasets_of(source).items() if each.spec.weeks.start_day == week_start}
    needed = {model.fit_on for model in source.models() if model.fit_on}
    needed &= _with_countries(sets, sorted(set(panel.units.groups)))
    with new_folder(target) as work:
        copy_catalogue(source, work, datasets=needed)
        (work / "data").mkdir()
        for folder in sorted(needed):
            shutil.copytree(sets[folder].folder, work / "data" / folder, ignore=shutil.ignore_patterns("*.py", "__*"))
        shutil.copyfile(table, work / "data" / table.name)
        text = workspace_file(
            title=title or table.stem,
            table=TableSource(
                f"data/{table.name}", columns, week_start, panel.observed.size, int((~panel.observed).sum())
            ),
            choice=_choice(source, weeks, needed),
            window=max(LEAST_WINDOW, min(WINDOW, weeks)),
            first_after=max(FIRST_AFTER, min(WINDOW, weeks // 3)),
        )
        (work / CONFIG_NAME).write_text(text, encoding="utf-8", newline="\n")
        open_workspace(work)
    return open_workspace(target)


def simulate_workspace(target: Path, source: Workspace, kind: str, weeks: int, regions: int, seed: int) -> Workspace:
    """Make a workspace of simulated data in a new folder; all that comes of it says that it is simulated.

    Parameters
    ----------
    target : Path
        Must not exist, or be empty.
    source : Workspace
        Its models and reports are taken.
    kind : str
        As in `forecast.simulation.simulated_set.simulate_set`.
    weeks, regions, seed : int

    Raises
    ------
    InputError
        If the folder is not empty, or nothing of this kind or size can be simulated.
    """
    with new_folder(target) as work:
        copy_catalogue(source, work, datasets=set())
        name = f"simulated-{kind}"
        simulated = simulate_set(kind, work / "data" / name, weeks, regions, seed)
        dataset = Dataset.open(work / "data" / name)
        text = workspace_file(
            title=f"SIMULATED {kind}",
            set=name,
            calibrate_on=[],
            countries=[],
            places=largest_towns(dataset.places(), sorted(set(simulated.panel.units.groups))),
            choice=_choice(source, weeks, set()),
        )
        (work / CONFIG_NAME).write_text(text, encoding="utf-8", newline="\n")
        open_workspace(work)
    return open_workspace(target)


def datasets_of(workspace: Workspace) -> dict[str, Dataset]:
    """Return the datasets of a workspace by name."""
    folders = sorted(path.parent for path in (workspace.root / "data").glob(f"*/{PACKAGE_NAME}"))
    return {folder.name: Dataset.open(folder) for folder in folders}


def largest_towns(places: pd.DataFrame, countries: Sequence[str]) -> list[tuple[str, int]]:
    """Return name and radius of the largest towns of each country, by population over all.

    Examples
    --------
    >>> towns = pd.DataFrame({"place": ["Kita", "Bamako"], "country": ["Mali"] * 2, "population": [76_000, 4_228_000]})
    >>> largest_towns(towns, ["Mali"])
    [('Bamako', 100), ('Kita', 100)]
    """
    ordered = places[places["country"].isin(countries)].sort_values("population", ascending=False, kind="stable")
    largest = ordered.groupby("country", sort=False).head(TOWNS_A_COUNTRY).head(MOST_TOWNS)
    return [(str(name), RADIUS_KM) for name in largest["place"]]


@dataclass(frozen=True)
class TableSource:
    """What ``forecast.toml`` says of a table of counts.

    Parameters
    ----------
    path : str
        Below the workspace.
    columns : mapping of str to str
        ``[data.columns]``.
    week_start : WeekStart
    cells, absent : int
        How many region-weeks there are, and how many of them have no row.
    """

    path: str
    columns: Mapping[str, str]
    week_start: WeekStart
    cells: int
    absent: int


@dataclass(frozen=True)
class ModelChoice:
    """Which models run, which one the report speaks for, and what is combined.

    Parameters
    ----------
    use : tuple of str
    headline : str
    combination : Combination or None
    """

    use: tuple[str, ...]
    headline: str
    combination: Combination | None


@dataclass(frozen=True)
class Protocol:
    """How much is forecast: the numbers of ``[backtest]`` and ``[report]``.

    Parameters
    ----------
    origins, refit_every : int
    draws : int
        Of the report.
    why : str
        What the file says of them, where they are not the usual ones.
    """

    origins: int = 104
    refit_every: int = 13
    draws: int = 2000
    why: str = ""


def workspace_file(
    *,
    title: str,
    choice: ModelChoice,
    set: str = "",  # noqa: A002 - as the key is called
    table: TableSource | None = None,
    calibrate_on: Sequence[str] = (),
    countries: Sequence[str] = (),
    places: Sequence[tuple[str, int]] = (),
    window: int = WINDOW,
    first_after: int = FIRST_AFTER,
    protocol: Protocol = Protocol(),
) -> str:
    """Return the text of a commented ``forecast.toml``, for a dataset or for a table."""
    environment = Environment(autoescape=False, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)  # noqa: S701 - TOML
    environment.filters["text"] = _toml_text
    template = files("forecast.jobs").joinpath("forecast.toml.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        title=title,
        set=set,
        table=table,
        calibrate_on=calibrate_on,
        countries=countries,
        places=places,
        models=choice.use,
        headline=choice.headline,
        combination=choice.combination,
        window=window,
        first_after=first_after,
        protocol=protocol,
    )


def _choice(source: Workspace, weeks: int, datasets: Collection[str]) -> ModelChoice:
    """Return the choice of another workspace, but for models that have neither enough weeks nor a dataset to fit on.

    External members stay with the workspace whose regions they forecast.
    """
    spec = source.spec
    lost = {
        model.name
        for model in source.models()
        if model.name in FROM_LONG_DATA and weeks < SHORT_WEEKS and model.fit_on not in datasets
    }
    use, combination = tuple(name for name in spec.models.use if name not in lost), spec.combination
    members = tuple(name for name in combination.members if name in use) if combination else ()
    if combination and len(members) < len(combination.members):
        combination = combination.model_copy(update={"members": members}) if len(members) > 1 else None
    headline = spec.models.headline
    if headline not in {*use, combination.name if combination else ""}:
        headline = members[0] if members else use[-1]
    return ModelChoice(use, headline, combination)


def _toml_text(value: str) -> str:
    """Return a TOML basic string: JSON's, but for DEL, which TOML wants escaped too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _with_countries(sets: dict[str, Dataset], countries: Sequence[str]) -> set[str]:
    """Return the datasets that have all of the countries."""
    return {name for name, each in sets.items() if set(countries) <= set(each.region_panel().units.groups)}


def _longer_set(sets: dict[str, Dataset], name: str, countries: Sequence[str]) -> list[str]:
    """Return the longest other dataset that has all of the countries, if it is longer."""
    able = [
        other for other in sorted(_with_countries(sets, countries)) if len(sets[other].weeks) > len(sets[name].weeks)
    ]
    return [max(able, key=lambda other: len(sets[other].weeks))] if able else []


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Give a folder to fill, which becomes `target`."""
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise InputError(f"{target.name or target} exists and is not empty", where=str(target), expected="a new folder")
    if target.resolve() == Path.cwd():
        raise InputError("the current folder cannot be replaced", where=str(target), hint="a folder below it")
    with folder_in_progress(target.absolute()) as work:
        yield work


def copy_catalogue(source: Workspace, work: Path, datasets: set[str]) -> None:
    """Copy models and reports; a model whose `fit_on` is not among the datasets is fitted on the data itself."""
    for part in ("models", "reports"):
        (work / part).mkdir()
        for path in sorted((source.root / part).glob("*.toml")):
            shutil.copyfile(path, work / part / path.name)
    for name, model in source.catalogue.items():
        if model.fit_on and model.fit_on not in datasets:
            path = work / "models" / f"{name}.toml"
            text = re.sub(r"(?m)^fit_on\s*=.*\n", "", path.read_text(encoding="utf-8"))
            path.write_text(text, encoding="utf-8", newline="\n")
