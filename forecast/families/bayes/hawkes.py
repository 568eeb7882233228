"""Bayesian Hawkes process in weeks: a walking background, and events that bring further events."""

from __future__ import annotations

from typing import ClassVar

from forecast.families.bayes.excitation import Excitation, Hawkes
from forecast.families.bayes.family import BayesFamily
from forecast.families.bayes.layout import Layout
from forecast.families.bayes.priors import Prior, Priors
from forecast.panel.panel import Panel


class HawkesPriors(Priors):
    """Priors of `Priors`, and of the self-excitation.

    Parameters
    ----------
    branching : Prior
        Logit of the events that one event brings: 94 % of the mass between 0.2 and 0.7.
    spillover : Prior
        Logit of the share of these in adjacent units.
    decay : Prior
        Logit of how much of the excitation is left a week later: a mean delay of 3.3 weeks, 95 % between 1.7 and 8.6.
    """

    level: Prior = Prior(mean=-3.0, sd=2.0)
    half_life: Prior = Prior(mean=4.6, sd=0.7)
    branching: Prior = Prior(mean=-0.28, sd=0.6)
    spillover: Prior = Prior(mean=-2.0, sd=1.0)
    decay: Prior = Prior(mean=0.85, sd=0.6)


class BayesHawkes(BayesFamily):
    r"""Discrete Hawkes process with a walking background rate and a prior on its branching ratio.

    .. math:: m_{it} = e^{\mu_c + s_c(t) + \tau u_{it}} + n \sum_j \bigl((1 - w) [i = j] + w W_{ij}\bigr)
              \sum_{l \ge 1} (1 - d)\,d^{\,l - 1} y_{j, t - l},

    the background as in `BayesNegbin`; :math:`n < 1` events follow each event, a share :math:`w` of them in its
    adjacent units, after :math:`1 / (1 - d)` weeks in the mean. Counts are negative binomial.

    Parameters
    ----------
    priors : HawkesPriors

    References
    ----------
    Prior of the branching ratio: Lewis, Mohler, Brantingham & Bertozzi (2012), doi:10.1057/sj.2011.21, who find that
    self-excitation explains 37 to 50 % of events and lasts 2 to 6 weeks.

    Examples
    --------
    >>> BayesHawkes().priors.branching
    Prior(mean=-0.28, sd=0.6)
    """

    family: ClassVar[str] = "bayes_hawkes"

    priors: HawkesPriors = HawkesPriors()

    def shared_priors(self) -> Priors:
        """Return the priors of the level, the season and the scatter."""
        return self.priors

    def own_priors(self) -> list[tuple[str, Prior]]:
        """Return the priors of the excitation."""
        return [(name, getattr(self.priors, name)) for name in ("branching", "spillover", "decay")]

    def excitation(self, panel: Panel, layout: Layout) -> Excitation:
        """Return what past counts add to the mean."""
        return Hawkes(panel, layout)
