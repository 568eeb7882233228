"""A model: a TOML spec that names a family and its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from forecast.config import parse, read_toml
from forecast.confined import FolderName
from forecast.errors import InputError, unknown_name
from forecast.families.fit_memory import fit_once
from forecast.families.protocol import Family, Fitted
from forecast.families.registry import family_class
from forecast.panel.panel import Panel


class ModelSpec(BaseModel):
    """One file of the catalogue ``models/*.toml``.

    Parameters
    ----------
    name : str
        As the file is called.
    family : str
        A registered family.
    title : str
        For tables and charts.
    method : str
        One paragraph for the report: what it assumes, where it fails.
    fit_on : str, optional
        A dataset on which the parameters are estimated in place of the panel that is forecast; only its
        weeks before the origin are used.
    window_weeks : int, optional
        Only this many last weeks enter the fit.
    settings : dict
        Read into the family's own fields, which check them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
    family: str
    title: str
    method: str
    fit_on: FolderName | None = None
    window_weeks: Annotated[int, Field(ge=2)] | None = None
    settings: dict[str, Any] = {}

    def build(self) -> Family:
        """Return the family with these settings.

        Raises
        ------
        InputError
            If the family is unknown or a setting is.
        """
        file = f"models/{self.name}.toml"
        return parse(family_class(self.family, where=f"{file} family"), self.settings, where=f"{file} [settings]")

    def fit(self, panel: Panel, rng: np.random.Generator, *, fit_panel: Panel | None = None) -> Fitted:
        """Fit on `panel`, or on `fit_panel` up to the same origin and then take up the state of `panel`.

        Parameters
        ----------
        panel : Panel
            What is known at the origin.
        rng : Generator
        fit_panel : Panel, optional
            The panel of the dataset that `fit_on` names; weeks from the origin on are cut off here.
        """
        if fit_panel is None:
            return self.build().fit(self.fitted_weeks(panel), rng).update(panel)
        return fit_once(self.build(), self.fitted_weeks(fit_panel.until(panel.origin)), rng).update(panel)

    def fitted_weeks(self, panel: Panel) -> Panel:
        """Return the weeks of a panel that enter the fit."""
        if self.window_weeks is None or self.window_weeks >= len(panel.weeks):
            return panel
        return panel.weeks_between(len(panel.weeks) - self.window_weeks, len(panel.weeks))


class OwnSpec(ModelSpec):
    """The spec of a family at hand, which need not be registered.

    Parameters
    ----------
    made : Family
        With its settings.
    """

    made: Family

    def build(self) -> Family:
        """Return the family."""
        return self.made


def read_models(folder: Path) -> dict[str, ModelSpec]:
    """Return every model of a catalogue folder by name, in order of the names.

    Raises
    ------
    InputError
        If a spec is broken, or its name is not that of its file.
    """
    models = {}
    for path in sorted(folder.glob("*.toml")):
        spec = parse(ModelSpec, read_toml(path), where=f"{folder.name}/{path.name}")
        if spec.name != path.stem:
            raise InputError(
                f"model {spec.name!r} stands in {path.name}", where=str(path), expected=f"name = {path.stem!r}"
            )
        spec.build()
        models[spec.name] = spec
    return models


def choose_models(models: dict[str, ModelSpec], names: list[str], *, where: str = "") -> list[ModelSpec]:
    """Return the named models in the order given; unknown names are errors that offer the nearest."""
    for name in names:
        if name not in models:
            raise unknown_name("model", name, models, where=where)
    return [models[name] for name in names]
