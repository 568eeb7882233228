"""A forecast that can be asked: probabilities of escalations, totals over weeks and regions, tables, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from forecast.display import notebook_html, terminal_text
from forecast.errors import InputError
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.plots import fan, risk_map, small_multiples
from forecast.plots.chart import Backend, Chart, Theme
from forecast.predictive import forecast as core
from forecast.predictive.escalation import Escalation, base_rate, probability

if TYPE_CHECKING:
    import xarray

SHOWN = 6
"""Units that are drawn if none is chosen."""
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Quantiles that tables have if none are named: the median, and the ends of the 50, 80 and 95 % intervals."""


@dataclass(frozen=True, eq=False)
class Forecast(core.Forecast):
    """A forecast of weekly counts, with the history it was made from.

    Parameters
    ----------
    paths, pmf, weeks, units, model, remarks, fitted_by
        As of `forecast.predictive.forecast.Forecast`: sample paths of shape (draws, horizon, units), marginal
        probabilities of 0, 1, 2 .. events of shape (horizon, units, k), first days of the weeks, units.
    history : Panel, optional
        What was known when it was made: the same units, up to the week before the first that is forecast.
    weeks_per_step : int, default 1
        More than one in totals over several weeks.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("west-africa-weekly", countries=["Mali"]).until("2019-01-05")
    >>> ahead = fc.model("discount-negbin").fit(panel).predict(8)
    >>> ahead.paths.shape
    (1000, 8, 9)
    >>> ahead.total(weeks=4, units="sum").to_frame()[["week", "q0.5"]].iloc[:, 1].tolist() > [0, 0]
    True
    """

    history: Panel | None = None
    weeks_per_step: int = 1

    @classmethod
    def of(cls, made: core.Forecast, history: Panel | None) -> Self:
        """Return a forecast of the rooms below with its history.

        Parameters
        ----------
        made : forecast.predictive.forecast.Forecast
        history : Panel or None
        """
        return cls(**{each.name: getattr(made, each.name) for each in fields(core.Forecast)}, history=history)

    def quantiles(self, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Return predictive quantiles in long form.

        Parameters
        ----------
        levels : sequence of float
            In (0, 1).

        Returns
        -------
        DataFrame
            A row a week, unit and level: week, horizon, unit, quantile (the level), value (events).

        Raises
        ------
        InputError
            For a level out of range.
        """
        names = [f"q{level:g}" for level in levels]
        wide = self.to_frame(levels).rename(columns=dict(zip(names, levels, strict=True)))
        long = wide.melt(["week", "horizon", "unit"], list(levels), var_name="quantile", value_name="value")
        return long.astype({"quantile": "float64"})

    def probability(self, rule: Escalation) -> pd.Series:
        """Return the probability that an escalation comes, in each unit.

        Parameters
        ----------
        rule : Escalation
            Such as ``fc.at_least(5, weeks=4)``. It is evaluated on whole paths, since weeks depend on each other.

        Returns
        -------
        Series
            Probability by unit, in [0, 1]; NaN where the history does not tell what is usual.

        Raises
        ------
        InputError
            If the rule looks further ahead than the forecast, or at the past of a forecast without a history.

        References
        ----------
        How paths are steadied by the marginals: `forecast.predictive.escalation.probability`.
        """
        if self.weeks_per_step > 1:
            raise InputError(
                f"rule {rule.name!r} on totals over {self.weeks_per_step} weeks",
                expected="a forecast by week",
                hint="the rule adds up the weeks itself: ask the forecast that was totalled",
            )
        if rule.weeks > self.horizon:
            raise InputError(
                f"rule {rule.name!r} looks {rule.weeks} weeks ahead",
                expected=f"at most {self.horizon}, as far as the forecast goes",
                hint=f"predict({rule.weeks})",
            )
        found = probability(rule, self, self._past(f"rule {rule.name!r}"))
        return pd.Series(found, index=pd.Index(self.units.names, name="unit"), name=rule.name)

    def risk(self, rules: Sequence[Escalation]) -> pd.DataFrame:
        """Return the probability of some escalations beside how often they came before, the likeliest first.

        Parameters
        ----------
        rules : sequence of Escalation

        Returns
        -------
        DataFrame
            A row a unit and rule: unit, escalation, probability, base_rate (share of the origins of the last two years
            from which it came; NaN where too few are known).
        """
        tables = [
            pd.DataFrame(
                {
                    "unit": list(self.units.names),
                    "escalation": rule.name,
                    "probability": self.probability(rule).to_numpy(),
                    "base_rate": base_rate(rule, self._past("a base rate")),
                }
            )
            for rule in rules
        ]
        table = pd.concat(tables, ignore_index=True)
        return table.sort_values(["probability", "unit"], ascending=[False, True], ignore_index=True)

    def total(self, *, weeks: int = 1, units: str | Mapping[str, str] | None = None) -> Forecast:
        """Add up over weeks, units or both, on each path, so that their dependence is kept.

        Parameters
        ----------
        weeks : int, default 1
            Consecutive weeks that are added up; what is left over at the end is left out.
        units : {"sum", "group"} or mapping of unit to name, optional
            All units together; those of one country together; or by names of your own. As they are if not given.

        Returns
        -------
        Forecast
            Of the sums; probabilities are shares of the paths. `history` is summed over the same units.

        Raises
        ------
        InputError
            If there are fewer weeks than that, or a unit has no name in the mapping.
        """
        if not 1 <= weeks <= self.horizon:
            raise InputError(f"totals over {weeks} weeks", expected=f"1 to {self.horizon}, the weeks of the forecast")
        steps = self.horizon // weeks
        cut = self.paths[:, : steps * weeks].reshape(self.draws, steps, weeks, -1).sum(axis=2, dtype=np.int64)
        labels, membership = self._membership(units)
        paths = (cut @ membership).astype(np.int32)
        history = None if self.history is None else _summed(self.history, labels, membership)
        same = units is None
        return replace(
            self,
            paths=paths,
            pmf=core.pmf_of_paths(paths),
            weeks=self.weeks[: steps * weeks : weeks],
            units=self.units if same else Units.of(labels, kind=self.units.kind),
            history=self.history if same else history,
            weeks_per_step=self.weeks_per_step * weeks,
        )

    def take_units(self, names: Sequence[str]) -> Forecast:
        """Return the forecast of the named units, in this order."""
        taken = super().take_units(names)
        return Forecast.of(taken, None if self.history is None else self.history.select(names))

    def plot(
        self, unit: str | None = None, *, past: int = 30, backend: Backend = "plotly", theme: Theme = "light"
    ) -> Chart:
        """Draw the forecast: the fan chart of one unit, or those of the six with the most expected events.

        Parameters
        ----------
        unit : str, optional
            Which one.
        past : int, default 30
            Weeks of the history that are shown.
        backend : {"plotly", "matplotlib"}
        theme : {"light", "dark"}

        Returns
        -------
        plotly Figure or matplotlib Figure

        Raises
        ------
        InputError
            If there is no such unit, or for totals over several weeks.
        """
        if self.weeks_per_step > 1:
            raise InputError("a fan chart of totals over several weeks", expected="a forecast by week")
        expected = self.mean().sum(axis=0)
        order = [self.units.names[at] for at in np.argsort(-expected, kind="stable")[:SHOWN]]
        shown = self.take_units([unit] if unit else order)
        means = shown.to_frame([0.5])[["week", "unit", "mean"]]
        frame = shown.quantiles().merge(means, on=["week", "unit"])
        known = None if shown.history is None else shown.history.tidy(past)
        if unit or len(order) == 1:
            return fan(frame, known, past=past, backend=backend, theme=theme)
        return small_multiples(frame, known, past=past, backend=backend, theme=theme)

    def map(
        self,
        rule: Escalation,
        outlines: Mapping[str, Mapping[str, Any]],
        *,
        backend: Backend = "plotly",
        theme: Theme = "light",
    ) -> Chart:
        """Draw a map of the probability of an escalation.

        Parameters
        ----------
        rule : Escalation
        outlines : mapping of unit to GeoJSON geometry
            Such as ``fc.outlines("west-africa-weekly")``; units without one are not shown.
        backend : {"plotly", "matplotlib"}
        theme : {"light", "dark"}

        Returns
        -------
        plotly Figure or matplotlib Figure

        Raises
        ------
        InputError
            As of `probability`, and if no unit has an outline.
        """
        frame = self.probability(rule).rename("probability").reset_index()
        sentence = rule.sentence()
        title = sentence[0].upper() + sentence[1:]
        mine = {name: outlines[name] for name in self.units.names if name in outlines}
        return risk_map(frame, mine, title=title, backend=backend, theme=theme)

    def to_xarray(self, levels: Sequence[float] = LEVELS) -> xarray.Dataset:
        """Return paths, means and quantiles as an xarray dataset.

        Parameters
        ----------
        levels : sequence of float

        Returns
        -------
        xarray.Dataset
            ``paths`` (draw, week, unit), ``mean`` (week, unit), ``quantile`` (level, week, unit), in events.

        Raises
        ------
        InputError
            If xarray is not installed.
        """
        try:
            import xarray  # noqa: PLC0415 - an extra
        except ImportError:
            raise InputError("xarray is not installed", hint="pip install 'escalation-forecast[xarray]'") from None
        return xarray.Dataset(
            {
                "paths": (("draw", "week", "unit"), self.paths),
                "mean": (("week", "unit"), self.mean()),
                "quantile": (("level", "week", "unit"), self.quantile(levels)),
            },
            coords={"week": self.weeks.to_numpy(), "unit": list(self.units.names), "level": list(levels)},
            attrs={"model": self.model, "origin": f"{self.origin:%Y-%m-%d}", "weeks_per_step": self.weeks_per_step},
        )

    def _membership(self, units: str | Mapping[str, str] | None) -> tuple[list[str], np.ndarray]:
        """Return names of the sums, and which unit is in which, shape (units, sums)."""
        names = self.units.names
        match units:
            case None:
                return list(names), np.eye(len(names), dtype=np.int64)
            case "sum":
                labels = ["all"] * len(names)
            case "group":
                labels = [group or "all" for group in self.units.groups]
            case str():
                raise InputError(f"totals over units by {units!r}", expected='"sum", "group" or a mapping')
            case _:
                missing = [name for name in names if name not in units]
                if missing:
                    raise InputError(f"unit {missing[0]!r} has no name in the mapping", expected="one for each unit")
                labels = [units[name] for name in names]
        order = list(dict.fromkeys(labels))
        member = np.array([order.index(label) for label in labels])
        return order, (member[:, None] == np.arange(len(order))).astype(np.int64)

    def _past(self, what: str) -> Panel:
        if self.history is None:
            raise InputError(
                f"{what} needs the history of the forecast", hint="Forecast.of(forecast, history=panel) adds it"
            )
        return self.history

    def _facts(self) -> dict[str, object]:
        return {
            "model": self.model,
            "from": f"{self.origin:%Y-%m-%d}",
            "weeks": self.horizon * self.weeks_per_step,
            "units": len(self.units),
            "paths": self.draws,
        }

    def __repr__(self) -> str:
        return terminal_text("Forecast", self._facts())

    def _repr_html_(self) -> str:
        """Show the forecast in a notebook."""
        table = self.to_frame().drop(columns=["horizon", "unit_kind"])
        return notebook_html("Forecast", self._facts(), table)


def _summed(panel: Panel, labels: Sequence[str], membership: np.ndarray) -> Panel:
    """Return sums of units; a week in which any of them is unknown is unknown."""
    lost = (~panel.observed).astype(np.int64) @ membership
    return Panel.of(
        panel.counts @ membership,
        panel.weeks,
        Units.of(labels, kind=panel.units.kind),
        observed=lost == 0,
        neighbours=Neighbours.none(len(labels)),
        exposure=panel.exposure @ membership,
        source=panel.source,
        simulated=panel.simulated,
    )
