"""Priors: each parameter is normal on a scale without bounds; what is written in the spec is all there is."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat


class Prior(BaseModel):
    """A normal prior on the scale on which the parameter has no bounds.

    Parameters
    ----------
    mean : float
        On that scale, such as the log of a rate.
    sd : float
        Standard deviation on it.

    Examples
    --------
    >>> Prior(mean=0.0, sd=0.5)
    Prior(mean=0.0, sd=0.5)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: FiniteFloat
    sd: Annotated[FiniteFloat, Field(gt=0)]


class Priors(BaseModel):
    """Priors of what all Bayesian families share.

    Parameters
    ----------
    level : Prior
        Log of the events a week of a typical unit of a typical country.
    country_spread : Prior
        Log of the standard deviation of the countries' levels.
    spread : Prior
        Log of the standard deviation of the units' log rates around their country's level, over units and over time.
    half_life : Prior
        Log of the weeks in which half of such a deviation is gone.
    size : Prior
        Log of the size of the negative binomial.
    season : Prior
        Sine and cosine of the annual season of the log rate that countries share; the mean is 0.
    country_season : Prior
        How a country's sine and cosine differ from it; the mean is 0.
    zeros : Prior
        Logit of the share of weeks without events whatever the rate; for `zeros = "inflated"` alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Prior = Prior(mean=-2.0, sd=2.0)
    country_spread: Prior = Prior(mean=math.log(0.7), sd=0.5)
    spread: Prior = Prior(mean=math.log(1.5), sd=0.5)
    half_life: Prior = Prior(mean=math.log(52.0), sd=0.8)
    size: Prior = Prior(mean=0.0, sd=1.0)
    season: Prior = Prior(mean=0.0, sd=0.3)
    country_season: Prior = Prior(mean=0.0, sd=0.2)
    zeros: Prior = Prior(mean=-2.0, sd=1.0)
