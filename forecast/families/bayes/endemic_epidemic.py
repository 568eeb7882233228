"""Hierarchical endemic-epidemic model: a walking level, and shares of recent counts at home and next door."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from forecast.families.bayes.excitation import EndemicEpidemic, Excitation
from forecast.families.bayes.family import BayesFamily
from forecast.families.bayes.layout import Layout
from forecast.families.bayes.priors import Prior, Priors
from forecast.panel.panel import Panel


class EndemicEpidemicPriors(Priors):
    """Priors of `Priors`, and of the epidemic part.

    Parameters
    ----------
    own : Prior
        Log of the share of a unit's recent mean that recurs next week.
    country_own : Prior
        How a country differs from it; the mean is 0.
    neighbours : Prior
        Log of the same for the mean of the adjacent units.
    """

    level: Prior = Prior(mean=-3.0, sd=2.0)
    half_life: Prior = Prior(mean=4.6, sd=0.7)
    own: Prior = Prior(mean=-1.5, sd=0.7)
    country_own: Prior = Prior(mean=0.0, sd=0.3)
    neighbours: Prior = Prior(mean=-3.0, sd=1.0)


class BayesEndemicEpidemic(BayesFamily):
    r"""Endemic-epidemic model with walking endemic levels and a recurrent share by country.

    .. math:: m_{it} = e^{\mu_c + s_c(t) + \tau u_{it}} + \lambda_c \bar y_{i} + \phi \bar y_{N(i)},

    the endemic part as in `BayesNegbin`, :math:`\bar y` exponentially weighted means of the counts before week
    :math:`t`, of the unit and of the mean of its adjacent units; counts are negative binomial.

    Parameters
    ----------
    priors : EndemicEpidemicPriors
    span : int
        Weeks of the means: weight 2 / (span + 1) on the newest.

    References
    ----------
    Held, Höhle & Hofmann (2005), doi:10.1191/1471082X05st098oa.

    Examples
    --------
    >>> BayesEndemicEpidemic(span=4).priors.own
    Prior(mean=-1.5, sd=0.7)
    """

    family: ClassVar[str] = "bayes_endemic_epidemic"

    priors: EndemicEpidemicPriors = EndemicEpidemicPriors()
    span: Annotated[int, Field(ge=1, le=52)] = 4

    def shared_priors(self) -> Priors:
        """Return the priors of the level, the season and the scatter."""
        return self.priors

    def own_priors(self) -> list[tuple[str, Prior]]:
        """Return the priors of the excitation."""
        return [("own", self.priors.own), ("neighbours", self.priors.neighbours)]

    def own_country_priors(self) -> list[tuple[str, Prior]]:
        """Return the priors of how the excitation differs by country."""
        return [("own", self.priors.country_own)]

    def excitation(self, panel: Panel, layout: Layout) -> Excitation:
        """Return what past counts add to the mean."""
        return EndemicEpidemic(panel, layout, self.span)
