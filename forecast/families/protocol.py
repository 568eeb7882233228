"""The one protocol of all families: fit, predict, update, summary."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from forecast.errors import InputError
from forecast.panel.panel import Panel
from forecast.panel.weeks import WEEK
from forecast.predictive.forecast import Forecast

MAX_HORIZON = 104
"""Two years; nobody should plan on a weekly count forecast beyond."""


class Family(BaseModel, ABC):
    """A class of count model with its settings: what the ``[settings]`` of a model's TOML spec are read into.

    A subclass declares its settings as fields (frozen, checked, unknown keys refused) and `fit`. It is
    registered under `family` by `forecast.families.registry`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: ClassVar[str]

    @abstractmethod
    def fit(self, panel: Panel, rng: np.random.Generator) -> Fitted:
        """Estimate the parameters on all weeks of `panel`.

        Parameters
        ----------
        panel : Panel
            What is known at the origin.
        rng : Generator
            The only source of randomness.
        """

    def refit(self, panel: Panel, rng: np.random.Generator, start: Fitted) -> Fitted:
        """Estimate the parameters anew, from an earlier fit as the starting point where that saves time.

        Parameters
        ----------
        panel : Panel
        rng : Generator
        start : Fitted
            Of the same settings on an earlier panel. It changes what the fit costs, not where it ends: estimates
            agree with those of `fit` within the tolerance of the optimiser.
        """
        del start
        return self.fit(panel, rng)

    def prior_check(self, panel: Panel, rng: np.random.Generator) -> pd.DataFrame | None:
        """Compare a panel with counts that the priors alone make; None for a family without priors.

        Parameters
        ----------
        panel : Panel
        rng : Generator

        Returns
        -------
        DataFrame or None
            A row a statistic; columns ``observed``, ``q5``, ``median``, ``q95`` (of the simulated panels), ``p_value``.
        """
        del panel, rng
        return None


class Fitted(ABC):
    """Parameters, and the state that the weeks of one panel leave them in.

    Subclasses are frozen dataclasses with at least a field `panel`.

    Attributes
    ----------
    remarks : tuple of str
        What went otherwise than usual in the fit, in plain words: no convergence and what was done about it, a part of
        the model that the data could not carry. A run warns of it.
    """

    panel: Panel
    remarks: tuple[str, ...] = ()

    @property
    def reliable(self) -> bool:
        """Whether the parameters can be relied on. A pool leaves out a member whose fit finds that they cannot."""
        return True

    @property
    def fitted_by(self) -> str:
        """How the parameters were found, and figures of how well; empty for a family without a choice of methods."""
        return ""

    @abstractmethod
    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Simulate forward; `predict` has checked the arguments."""

    @abstractmethod
    def update(self, panel: Panel) -> Self:
        """Return the same parameters in the state that `panel` leaves them in.

        Parameters
        ----------
        panel : Panel
            All weeks up to a new origin: the same panel with more weeks, or another panel altogether
            (a live stream that takes its parameters from a long set). Units are matched by name; a unit
            that was not in the fit gets the pooled value of whatever is kept per unit.
        """

    @abstractmethod
    def summary(self) -> pd.DataFrame:
        """Return the parameters: index ``parameter``; columns ``estimate``, ``std_error`` (NaN where none)."""

    def predict(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Forecast the weeks after the last one of the panel.

        Parameters
        ----------
        horizon : int
            Weeks ahead, 1 to 104.
        draws : int
            Sample paths, at least 1.
        rng : Generator
            The only source of randomness: same seed and data, same bytes.

        Returns
        -------
        Forecast
            Paths of shape (draws, horizon, units).

        Raises
        ------
        InputError
            If horizon or draws are out of range.
        """
        if not 1 <= horizon <= MAX_HORIZON:
            raise InputError(f"horizon {horizon}", expected=f"1 to {MAX_HORIZON} weeks")
        if draws < 1:
            raise InputError(f"{draws} draws", expected="at least 1")
        return replace(self.simulate(horizon, draws, rng), remarks=self.remarks, fitted_by=self.fitted_by)

    def target_weeks(self, horizon: int) -> pd.DatetimeIndex:
        """Return the first days of the `horizon` weeks after the panel."""
        return pd.date_range(self.panel.origin, periods=horizon, freq=WEEK, unit="s", name="week")
