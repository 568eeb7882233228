"""Count models as scikit-learn estimators, for its searches and splitters."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from forecast.api.forecast import Forecast
from forecast.api.model import Fitted, Model
from forecast.api.score import score
from forecast.errors import InputError
from forecast.panel.panel import Panel
from forecast.panel.wide import panel_from_wide


class CountForecaster(BaseEstimator):  # type: ignore[misc] # scikit-learn is not typed
    """A family of count models as an estimator of scikit-learn.

    Rows are weeks and columns units, as `Panel.to_frame` gives them; there is no ``y``. What `predict` and `score` are
    given are the weeks right after those of `fit`, which is what ``TimeSeriesSplit`` hands out.

    Parameters
    ----------
    family : str
        Name of a family, such as ``"window_negbin"``.
    like : Panel, optional
        One with these units: their neighbours, countries and exposure are taken from there.
    draws : int, default 500
        Sample paths of each forecast.
    seed : int, default 1
    **settings
        Those of the family; `set_params` and searches reach them by their names.

    Raises
    ------
    InputError
        In `fit`, for an unknown family or setting, and for a frame that is not of weeks.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
    >>> import forecast as fc
    >>> counts = fc.load("west-africa-weekly", countries=["Mali"]).to_frame().tail(156)
    >>> search = GridSearchCV(
    ...     CountForecaster("window_negbin"), {"weeks": [13, 52]}, cv=TimeSeriesSplit(4, test_size=8)
    ... ).fit(counts)
    >>> sorted(search.best_params_)
    ['weeks']
    """

    def __init__(
        self, family: str, *, like: Panel | None = None, draws: int = 500, seed: int = 1, **settings: Any
    ) -> None:
        self.family = family
        self.like = like
        self.draws = draws
        self.seed = seed
        self.settings = settings

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return family, options and settings, flat."""
        del deep
        own = {"family": self.family, "like": self.like, "draws": self.draws, "seed": self.seed}
        return {**own, **self.settings}

    def set_params(self, **params: Any) -> Self:
        """Change family, options or settings.

        Parameters
        ----------
        **params
            By name, as `get_params` returns them.
        """
        for name, value in params.items():
            if name in {"family", "like", "draws", "seed"}:
                setattr(self, name, value)
            else:
                self.settings = {**self.settings, name: value}
        return self

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Estimate the parameters.

        Parameters
        ----------
        X : DataFrame, shape (weeks, units)
            Counts; missing ones are unknown.
        y : ignored
        """
        del y
        self.fitted_: Fitted = Model(self.family, **self.settings).fit(
            panel_from_wide(X, like=self.like), seed=self.seed
        )
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the expected counts of the weeks of `X`, whose values are not looked at.

        Parameters
        ----------
        X : DataFrame, shape (weeks, units)
            Weeks right after those of `fit`.

        Returns
        -------
        ndarray, shape (weeks, units)
        """
        return self._ahead(X).mean()

    def forecast(self, horizon: int) -> Forecast:
        """Return the whole forecast of the weeks after those of `fit`."""
        return self._known().predict(horizon, draws=self.draws)

    def score(self, X: pd.DataFrame, y: object = None) -> float:
        """Return the mean CRPS of the weeks of `X`, negative so that greater is better.

        Parameters
        ----------
        X : DataFrame, shape (weeks, units)
            Counts of the weeks right after those of `fit`.
        y : ignored
        """
        del y
        return -float(score(self._ahead(X), panel_from_wide(X, like=self.like))["crps"].mean())

    def _known(self) -> Fitted:
        if not hasattr(self, "fitted_"):
            raise NotFittedError("this CountForecaster is not fitted yet: call fit first")
        return self.fitted_

    def _ahead(self, X: pd.DataFrame) -> Forecast:
        fitted = self._known()
        origin, weeks = fitted.panel.origin, pd.DatetimeIndex(X.index)
        if not len(weeks) or weeks[0] != origin:
            raise InputError(
                f"weeks from {weeks[0]:%Y-%m-%d}" if len(weeks) else "no weeks",
                expected=f"weeks right after those of fit, from {origin:%Y-%m-%d}",
                hint="TimeSeriesSplit without a gap",
            )
        return fitted.predict(len(weeks), draws=self.draws)
