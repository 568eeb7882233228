"""Settings of the endemic-epidemic family, as they stand in a model's TOML spec."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from forecast.families.endemic_epidemic.design import Intercepts
from forecast.families.endemic_epidemic.lags import LagShape
from forecast.families.endemic_epidemic.weights import Pairs, Tail, Weights
from forecast.panel.panel import Panel


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ComponentSettings(_Settings):
    """What one component of the mean depends on, on the log scale.

    Parameters
    ----------
    intercepts : {"common", "fixed", "random"}
        One for all units; one for each, on its own; one for each, normal around a common one.
    trend : bool
        Linear, in years; it stays where it was at the end of the fitted weeks.
    harmonics : int
        Pairs of sine and cosine: a year, half a year, a third of a year.
    covariates : tuple of str
        Of the panel, as they were the week before; the last known value stands for all weeks ahead.
    exposure : bool
        Multiply by the exposure of the unit, relative to the mean of the fitted units.
    """

    intercepts: Intercepts = "common"
    trend: bool = False
    harmonics: Annotated[int, Field(ge=0, le=3)] = 0
    covariates: tuple[str, ...] = ()
    exposure: bool = False


class LagSettings(_Settings):
    """How the counts of the last weeks share the epidemic part.

    Parameters
    ----------
    order : int
        How many weeks; 1 is last week alone.
    shape : {"geometric", "poisson", "triangular"}
        How their weights fall off; the decay is estimated.
    """

    order: Annotated[int, Field(ge=1, le=52)] = 8
    shape: LagShape = "geometric"


class WeightSettings(_Settings):
    """How much of a unit's counts reaches each other unit.

    Parameters
    ----------
    by : {"adjacency", "order", "distance"}
        Adjacent units alike; a power law of the order of neighbourhood; a power law of the distance of the centres.
    free : int
        By order: the first so many orders have weights of their own.
    tail : {"power", "constant"}
        By order: what the orders beyond these follow.
    largest_order : int
        By order: no unit further off is reached.
    largest_km : float
        By distance: no unit further off is reached.
    normalised : bool
        Divide by the sum of the weights that a unit gives, so that each event is shared out once.
    """

    by: Literal["adjacency", "order", "distance"] = "adjacency"
    free: Annotated[int, Field(ge=1, le=8)] = 1
    tail: Tail = "power"
    largest_order: Annotated[int, Field(ge=1, le=50)] = 5
    largest_km: Annotated[float, Field(gt=0)] = 1000.0
    normalised: bool = True

    def weights(self, panel: Panel) -> Weights:
        """Return the weights among the units of a panel.

        Raises
        ------
        InputError
            By distance, if a unit has no coordinates.
        """
        if self.by == "adjacency":
            return Weights(Pairs.by_order(panel.neighbours, 1), normalised=self.normalised)
        if self.by == "order":
            pairs = Pairs.by_order(panel.neighbours, max(self.largest_order, self.free))
            return Weights(pairs, self.free, self.tail, self.normalised)
        return Weights(Pairs.by_distance(panel.units, self.largest_km), 1, "power", self.normalised)
