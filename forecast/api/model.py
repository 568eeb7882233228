"""Models for a notebook: those of the catalogue, or a family with settings of your own; fit, predict, look inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Self

import pandas as pd

from forecast.api.forecast import Forecast
from forecast.config import parse
from forecast.display import notebook_html, terminal_text
from forecast.errors import InputError, unknown_name
from forecast.families import protocol
from forecast.families.model import ModelSpec, OwnSpec, read_models
from forecast.families.registry import family_class
from forecast.panel.panel import Panel
from forecast.provenance import generator
from forecast.reference import reference_workspace

SEED = 1
"""Of fits and predictions if none is given: the same call gives the same bytes."""


@dataclass(frozen=True, init=False)
class Model:
    """A family of count models with its settings, ready to be fitted.

    Parameters
    ----------
    family : str
        Name of a family, as `forecast models` and `models` list them.
    name : str, optional
        For tables and charts; that of the family if not given.
    **settings
        Those of the family.

    Raises
    ------
    InputError
        If there is no such family or setting, or a value is out of range; the nearest names are offered.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("west-africa-weekly", countries=["Mali"]).until("2019-01-05")
    >>> window = fc.Model("window_negbin", name="quarter", weeks=13)
    >>> window.fit(panel).predict(4).paths.shape
    (1000, 4, 9)
    """

    spec: ModelSpec

    def __init__(self, family: str, /, *, name: str = "", **settings: Any) -> None:
        title = name or family.replace("_", "-")
        method = f"Family {family} with settings given in Python."
        spec = ModelSpec(name=_name_of(title), family=family, title=title, method=method, settings=settings)
        _check(family, settings)
        object.__setattr__(self, "spec", spec)

    @classmethod
    def of(cls, spec: ModelSpec) -> Self:
        """Return the model of a spec of the catalogue."""
        made = cls.__new__(cls)
        object.__setattr__(made, "spec", spec)
        return made

    @classmethod
    def of_family(cls, family: protocol.Family, *, name: str = "") -> Self:
        """Return the model of a family that need not be registered, such as one that a notebook defines.

        Parameters
        ----------
        family : forecast.families.protocol.Family
            With its settings.
        name : str, optional
            For tables and charts; that of the family if not given.
        """
        title = name or family.family.replace("_", "-")
        method = f"Family {family.family}, as it was made in Python."
        settings = family.model_dump()
        return cls.of(
            OwnSpec(
                name=_name_of(title), family=family.family, title=title, method=method, settings=settings, made=family
            )
        )

    @property
    def name(self) -> str:
        """Name in tables and charts."""
        return self.spec.name

    @property
    def settings(self) -> dict[str, Any]:
        """All settings of the family, also those that are left at their defaults."""
        return self.spec.build().model_dump()

    def with_settings(self, **settings: Any) -> Model:
        """Return the same model with some settings changed.

        Raises
        ------
        InputError
            For an unknown setting, or a value that is out of range.
        """
        merged = {**self.spec.settings, **settings}
        if isinstance(self.spec, OwnSpec):
            made = parse(type(self.spec.made), merged, where=f"Model {self.name!r}")
            return Model.of_family(made, name=self.spec.title)
        _check(self.spec.family, merged)
        return Model.of(self.spec.model_copy(update={"settings": merged}))

    def fit(self, panel: Panel, *, fit_on: Panel | None = None, seed: int = SEED) -> Fitted:
        """Estimate the parameters on all weeks of a panel.

        Parameters
        ----------
        panel : Panel
            What is known: ``panel.until("2019-01-05")`` is what was known then.
        fit_on : Panel, optional
            A longer one for the parameters, of which only the weeks before the end of `panel` are used.
        seed : int, default 1

        Returns
        -------
        Fitted
        """
        found = self.spec.fit(panel, generator(seed, "fit", self.name), fit_panel=fit_on)
        return Fitted(self, found, seed)

    def __repr__(self) -> str:
        return terminal_text("Model", self._facts())

    def _facts(self) -> dict[str, object]:
        return {"name": self.name, "family": self.spec.family}

    def _repr_html_(self) -> str:
        """Show the model in a notebook."""
        settings = pd.Series(self.settings, name="setting", dtype=object).map(str).to_frame()
        return notebook_html(self.spec.title, self._facts(), settings if len(settings) else None)


@dataclass(frozen=True, eq=False, repr=False)
class Fitted:
    """A model with its parameters, in the state that the last week of a panel leaves it in.

    Parameters
    ----------
    model : Model
    inner : forecast.families.protocol.Fitted
        What the family itself has: `docs/fitted-models.md` says what more there is to ask of each.
    seed : int
        Of the predictions if none is given.
    """

    model: Model
    inner: protocol.Fitted
    seed: int = field(default=SEED)

    @property
    def panel(self) -> Panel:
        """What is known."""
        return self.inner.panel

    @property
    def remarks(self) -> tuple[str, ...]:
        """What went otherwise than usual in the fit, in plain words."""
        return self.inner.remarks

    def predict(self, horizon: int = 8, *, draws: int = 1000, seed: int | None = None) -> Forecast:
        """Forecast the weeks after the last one of the panel.

        Parameters
        ----------
        horizon : int, default 8
            Weeks ahead, 1 to 104.
        draws : int, default 1000
            Sample paths.
        seed : int, optional
            That of the fit if not given. The same seed gives the same bytes.

        Returns
        -------
        Forecast
            Paths of shape (draws, horizon, units), in events a week.

        Raises
        ------
        InputError
            If horizon or draws are out of range.
        """
        rng = generator(self.seed if seed is None else seed, "predict", self.model.name)
        return Forecast.of(self.inner.predict(horizon, draws, rng).named(self.model.name), self.panel)

    def update(self, panel: Panel) -> Fitted:
        """Return the same parameters in the state that a panel with more weeks leaves them in.

        Parameters
        ----------
        panel : Panel
        """
        return Fitted(self.model, self.inner.update(panel), self.seed)

    def summary(self) -> pd.DataFrame:
        """Return the parameters: index ``parameter``; columns ``estimate``, ``std_error`` (NaN where none)."""
        return self.inner.summary()

    def components(self) -> pd.DataFrame:
        """Return what the fitted means are made of.

        Returns
        -------
        DataFrame
            A row a week and unit: week, unit, mean (events), and a column a component: its share of the mean. For
            ``endemic_epidemic`` these are own (its own past), neighbour and endemic.

        Raises
        ------
        InputError
            If rates of the family are not sums of components.
        """
        parts = getattr(self.inner, "components", None)
        if parts is None:
            raise InputError(
                f"model {self.model.name!r} has no components",
                expected="a family whose rate is a sum of parts, such as endemic_epidemic",
            )
        table: pd.DataFrame = parts()
        return table

    def __repr__(self) -> str:
        return terminal_text("Fitted", self._facts())

    def _facts(self) -> dict[str, object]:
        known = f"{self.panel.known_until:%Y-%m-%d}"
        return {"model": self.model.name, "known until": known, "units": len(self.panel.units)}

    def _repr_html_(self) -> str:
        """Show the fit in a notebook."""
        return notebook_html("Fitted", self._facts() | {"remarks": "; ".join(self.remarks)}, self.summary())


def model(name: str, *, catalogue: str | PathLike[str] | None = None) -> Model:
    """Return a model of the catalogue.

    Parameters
    ----------
    name : str
        As `models` lists them, such as ``"discount-negbin"``.
    catalogue : path, optional
        A folder of specs (``*.toml``); the embedded one if not given.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        If there is none of this name; the nearest names are offered.

    Examples
    --------
    >>> model("discount-negbin")
    <Model: name discount-negbin, family discount_negbin>
    """
    found = read_models(_catalogue(catalogue))
    if name not in found:
        raise unknown_name("model", name, list(found))
    return Model.of(found[name])


def models(*, catalogue: str | PathLike[str] | None = None) -> pd.DataFrame:
    """Return the models of the catalogue.

    Parameters
    ----------
    catalogue : path, optional
        A folder of specs; the embedded one if not given.

    Returns
    -------
    DataFrame
        A row a model, by name: title, family.

    Examples
    --------
    >>> models().loc["climatology-52", "family"]
    'climatology'
    """
    found = read_models(_catalogue(catalogue)).values()
    rows = {spec.name: {"title": spec.title, "family": spec.family} for spec in found}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")


def _catalogue(folder: str | PathLike[str] | None) -> Path:
    return reference_workspace() / "models" if folder is None else Path(folder)


def _check(family: str, settings: Mapping[str, Any]) -> None:
    parse(family_class(family), dict(settings), where=f"Model({family!r})")


def _name_of(title: str) -> str:
    """Return a name as those of the catalogue are."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in title.lower()).strip("-")
    return kept[:60] or "model"
