"""Hierarchical negative binomial: levels of regions that walk, pooled by country, their uncertainty in the paths."""

from __future__ import annotations

from typing import ClassVar

from forecast.families.bayes.family import BayesFamily
from forecast.families.bayes.priors import Priors


class BayesNegbin(BayesFamily):
    r"""Hierarchical negative binomial with a walking level of each unit, pooled by country.

    .. math:: y_{it} \sim NB(m_{it}, r),\quad
              \log m_{it} = \mu_{c} + s_c(t) + \log e_i + \tau u_{it},

    where :math:`u_i` is a random walk that is drawn back to 0 (an Ornstein-Uhlenbeck process of variance 1, half of
    a deviation gone after :math:`h` weeks) and moves every `block_weeks` weeks, :math:`s_c` is an annual sine and
    cosine, :math:`e` the exposure. Countries differ around a common level, :math:`\mu_c = \mu + \kappa z_c`, units
    and times around their country's: a unit of which little is known is drawn there, the more the smaller
    :math:`\tau` is.

    The levels are summed out on a grid, exactly as a filter does it, so that the posterior has a dozen parameters
    and not one for each region and week; its gradient is that of one pass forward and one back.

    Parameters
    ----------
    priors : Priors

    See Also
    --------
    BayesFamily : The other settings.

    References
    ----------
    Marginal likelihood by filtering: Kitagawa (1987), doi:10.1080/01621459.1987.10478534. Importance sampling with
    its diagnostic: Vehtari et al. (2024), https://www.jmlr.org/papers/v25/19-556.html.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from forecast.panel.panel import Panel
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2020-01-04", periods=60, freq="7D", unit="s")
    >>> rng = np.random.default_rng(1)
    >>> panel = Panel.of(rng.poisson([0.2, 2.0], (60, 2)), weeks, Units.of(["A", "B"]))
    >>> fitted = BayesNegbin().fit(panel, rng)
    >>> fitted.predict(horizon=4, draws=1000, rng=rng).mean()[0].round()
    array([0., 2.])
    """

    family: ClassVar[str] = "bayes_negbin"

    priors: Priors = Priors()

    def shared_priors(self) -> Priors:
        """Return the priors of the level, the season and the scatter."""
        return self.priors
