"""A workspace: ``forecast.toml`` beside the folders data, models and reports; results go to out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from forecast.combination.settings import Combination, ExternalMember, ExternalName
from forecast.config import Section, parse, read_toml
from forecast.confined import FolderName, path_below
from forecast.data_section import DataSection
from forecast.delivery.targets import Targets
from forecast.errors import InputError, nearest_names, unknown_name
from forecast.families.model import ModelSpec, choose_models, read_models
from forecast.language import SOURCE, Language
from forecast.predictive.escalation import Escalation

CONFIG_NAME = "forecast.toml"


class RegionsSection(Section):
    """Which regions are forecast: all of some countries, or named ones; all of the data if neither is given.

    Parameters
    ----------
    countries : tuple of str
        All regions of these.
    names : tuple of str
        Regions such as "Mali/Mopti", beside those of the countries.
    """

    countries: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class PlaceSpec(Section):
    """A town with a radius: one of the dataset's places, or, for a store, one with latitude and longitude.

    Parameters
    ----------
    name : str
        As in the dataset; of a store, as you like.
    radius_km : int
        Events within it count; a set has those radii that its README names.
    latitude, longitude : float, optional
        Of the centre, in degrees; for a store, where both are needed.
    """

    name: str
    radius_km: Annotated[int, Field(ge=10, le=500)] = 100
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None

    @model_validator(mode="after")
    def _whole_point(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude belong together")
        return self

    @property
    def unit(self) -> str:
        """Name of the place as a unit of a panel."""
        return f"{self.name} {self.radius_km} km"


class ModelsSection(Section):
    """Which models of the catalogue run, and which one the report speaks for: one of them, or the combined one.

    Parameters
    ----------
    use : tuple of str
        Files of ``models/``, without the ending. All are run, back-tested and compared.
    headline : str
        One of `use`, or the name of the combined forecast.
    """

    use: Annotated[tuple[str, ...], Field(min_length=1)]
    headline: str


class BacktestSection(Section):
    """The protocol of every backtest of this workspace, the same for all models.

    Parameters
    ----------
    horizon : int
        Weeks ahead that are scored.
    origins : int
        Weekly origins, the latest ones whose first target week is known.
    refit_every : int
        Weeks between fits; `update` in between.
    draws : int
        Sample paths.
    first_after : int
        Weeks that must be known before the first origin.
    seed : int
        Of all chance in the workspace: the same inputs give the same bytes.
    """

    horizon: Annotated[int, Field(ge=1, le=52)] = 8
    origins: Annotated[int, Field(ge=1, le=2000)] = 104
    refit_every: Annotated[int, Field(ge=1, le=520)] = 13
    draws: Annotated[int, Field(ge=100, le=100_000)] = 1000
    first_after: Annotated[int, Field(ge=2)] = 8
    seed: Annotated[int, Field(ge=0)] = 20250601


class ReportSection(Section):
    """The forecast that is issued and its report.

    Parameters
    ----------
    name : str
        A definition in ``reports/``.
    horizon : int
        Weeks ahead.
    draws : int
        Sample paths.
    """

    name: FolderName
    horizon: Annotated[int, Field(ge=1, le=52)] = 8
    draws: Annotated[int, Field(ge=100, le=100_000)] = 2000


class LedgerSection(Section):
    """Where issued forecasts are recorded.

    Parameters
    ----------
    enabled : bool
        Without it no forecast counts as issued, and each run replaces the one before.
    url : str, optional
        ``sqlite:///FILE`` below the workspace, or ``postgresql://USER@HOST/DATABASE``; `ledger.sqlite` beside the
        folder of the results if not given. The environment variable FORECAST_LEDGER_URL goes before it, and is the
        place for passwords.
    workspace : str, optional
        The name of this workspace in a ledger that several share; its title if not given. Issues belong together by it.
    """

    enabled: bool = True
    url: Annotated[str, Field(min_length=1)] | None = None
    workspace: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class WorkspaceSpec(Section):
    """The whole of ``forecast.toml``.

    Parameters
    ----------
    title : str
        Of the workspace, for reports and the ledger.
    escalations : tuple of Escalation
        What the reader wants to be warned of. Each is a rule over the sum of the next weeks of a region or place.
    """

    title: str
    data: DataSection
    regions: RegionsSection = RegionsSection()
    places: tuple[PlaceSpec, ...] = ()
    escalations: Annotated[tuple[Escalation, ...], Field(min_length=1)]
    models: ModelsSection
    combination: Combination | None = None
    external: dict[ExternalName, ExternalMember] = Field(default_factory=dict)
    backtest: BacktestSection = BacktestSection()
    report: ReportSection
    ledger: LedgerSection = LedgerSection()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [rule.name for rule in self.escalations]
        if len(set(names)) < len(names):
            raise ValueError("two escalations have the same name")
        for rule in self.escalations:
            if rule.weeks > min(self.report.horizon, self.backtest.horizon):
                raise ValueError(f"escalation {rule.name!r} looks {rule.weeks} weeks ahead, beyond the horizon")
        return self

    @model_validator(mode="after")
    def _models_are_used(self) -> Self:
        use, combination = self.models.use, self.combination
        names = use if combination is None else (*use, combination.name)
        if combination is not None and combination.name in use:
            raise ValueError(f"combination: a model in `use` is called {combination.name!r} already")
        twice = sorted({*self.external} & {*names})
        if twice:
            raise ValueError(f"external: a model is called {twice[0]!r} already")
        members = combination.members if combination else ()
        if members and not {*members} & {*use}:
            raise ValueError("combination: none of the members is a model in `use`")
        for what, name, known in [
            ("models: headline", self.models.headline, names),
            *(("combination: member", member, (*use, *self.external)) for member in members),
        ]:
            if name not in known:
                near = nearest_names(name, known, count=1)
                offered = f": did you mean {near[0]!r}?" if near else f", which are {', '.join(known)}"
                raise ValueError(f"{what} {name!r} is not among the models in `use`{offered}")
        return self


class ReportSpec(Section):
    """One file of ``reports/*.toml``: how a report presents the forecast of the workspace.

    Parameters
    ----------
    name : str
        As the file is called; the folder of its results.
    title : str
        At the top of the page.
    audience : str
        One sentence: who reads it, and what for.
    headline_escalation : str
        The escalation that the map and the headline sentences show.
    top : int
        How many regions the headline names and the fan charts show.
    listed : int
        How many regions the tables of the page list at most, those of the highest probability; all are in ``risk.csv``.
    brief : bool
        Whether ``brief.pdf`` is made, two pages to be printed or mailed.
    pictures : bool
        Whether map, fan charts and reliability are drawn as PNG files.
    languages : tuple of {"en", "fr"}
        Those of the pages: ``index.html`` is in the first, ``index.fr.html`` and the like in the others.
    delivery : tuple of Target
        Where it is delivered, ``[[delivery]]``.
    """

    name: str
    title: str
    audience: str = ""
    headline_escalation: str
    top: Annotated[int, Field(ge=1, le=50)] = 5
    listed: Annotated[int, Field(ge=1)] = 400
    brief: bool = True
    pictures: bool = True
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = (SOURCE,)
    delivery: Targets = ()

    @field_validator("languages")
    @classmethod
    def _each_once(cls, languages: tuple[Language, ...]) -> tuple[Language, ...]:
        if len(set(languages)) < len(languages):
            raise ValueError("a language stands in it twice")
        return languages


@dataclass(frozen=True)
class Workspace:
    """An opened workspace: its folder, its spec, its catalogue.

    Parameters
    ----------
    root : Path
    spec : WorkspaceSpec
    catalogue : dict of str to ModelSpec
        Every model in ``models/``.
    results : Path, optional
        Where results go, if not to ``out`` in the workspace: the reference workspace may be read-only.
    """

    root: Path
    spec: WorkspaceSpec
    catalogue: dict[str, ModelSpec]
    results: Path | None = None

    @property
    def out(self) -> Path:
        """Folder of all that is rendered, fitted or cached."""
        return self.results or self.root / "out"

    def data_folder(self, name: str) -> Path:
        """Return the folder of a dataset.

        Raises
        ------
        InputError
            If it leads out of the workspace: specs come from others, too.
        """
        return path_below(self.root, f"data/{name}", where=f"the dataset {name!r}")

    def models(self) -> list[ModelSpec]:
        """Return the models that run, in the order of ``forecast.toml``."""
        return choose_models(self.catalogue, list(self.spec.models.use), where=f"{CONFIG_NAME} [models] use")

    def headline_models(self) -> tuple[str, ...]:
        """Return the models that the headline rests on: itself, or the members where it is the combined one."""
        combination, headline = self.spec.combination, self.spec.models.headline
        if combination is None or headline != combination.name:
            return (headline,)
        return tuple(member for member in combination.members if member not in self.spec.external)

    def external_members(self) -> dict[str, ExternalMember]:
        """Return the members of the combination that are made elsewhere."""
        members = self.spec.combination.members if self.spec.combination else ()
        return {name: self.spec.external[name] for name in members if name in self.spec.external}

    def headline_model(self) -> ModelSpec:
        """Return the headline model; the first member where that is the combined one, which is no file."""
        return self.catalogue[self.headline_models()[0]]

    def report(self, name: str | None = None) -> ReportSpec:
        """Return a report definition, the default one if no name is given."""
        wanted = name or self.spec.report.name
        folder = self.root / "reports"
        known = sorted(path.stem for path in folder.glob("[!.]*.toml"))
        if wanted not in known:
            raise unknown_name("report", wanted, known, where=str(folder))
        spec = parse(ReportSpec, read_toml(folder / f"{wanted}.toml"), where=f"reports/{wanted}.toml")
        rules = {rule.name for rule in self.spec.escalations}
        asked = {"headline_escalation": spec.headline_escalation}
        asked |= {
            f"delivery {target.name!r} when.escalation": target.when.escalation
            for target in spec.delivery
            if target.when.escalation is not None
        }
        for key, rule in asked.items():
            if rule not in rules:
                raise InputError(
                    f"{key} {rule!r} is no escalation of the workspace",
                    where=f"reports/{wanted}.toml",
                    expected=f"one of {', '.join(sorted(rules))}",
                )
        return spec


def open_workspace(root: Path, results: Path | None = None) -> Workspace:
    """Open the workspace in a folder.

    Parameters
    ----------
    root : Path
    results : Path, optional
        Where results go; ``out`` in the workspace if not given.

    Raises
    ------
    InputError
        If ``forecast.toml`` or a model spec is missing or wrong.
    """
    spec = parse(WorkspaceSpec, read_toml(root / CONFIG_NAME), where=CONFIG_NAME)
    workspace = Workspace(root, spec, read_models(root / "models"), results)
    workspace.models()
    return workspace
