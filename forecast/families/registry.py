"""Which families there are: the built-in ones, and those of installed plug-ins (entry point ``forecast.families``)."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from forecast.errors import unknown_name
from forecast.families.protocol import Family

BUILT_IN = {
    "zero": "forecast.families.zero:Zero",
    "last": "forecast.families.last:Last",
    "climatology": "forecast.families.climatology:Climatology",
    "window_negbin": "forecast.families.window_negbin:WindowNegbin",
    "pool": "forecast.combination.pool:Pool",
    "discount_negbin": "forecast.families.discount_negbin:DiscountNegbin",
    "glm": "forecast.families.glm:Glm",
    "tree_ensemble": "forecast.families.tree_ensemble.family:TreeEnsemble",
    "direct_endemic": "forecast.families.direct_endemic.family:DirectEndemic",
    "grid_filter": "forecast.families.grid_filter.family:GridFilter",
    "endemic_epidemic": "forecast.families.endemic_epidemic.family:EndemicEpidemic",
    "ingarch": "forecast.families.ingarch.family:Ingarch",
    "hidden_markov": "forecast.families.hidden_markov.family:HiddenMarkov",
    "excited_hurdle": "forecast.families.excited_hurdle.family:ExcitedHurdle",
    "discrete_hawkes": "forecast.families.discrete_hawkes.family:DiscreteHawkes",
    "bayes_negbin": "forecast.families.bayes.negbin:BayesNegbin",
    "bayes_endemic_epidemic": "forecast.families.bayes.endemic_epidemic:BayesEndemicEpidemic",
    "bayes_hawkes": "forecast.families.bayes.hawkes:BayesHawkes",
    "dynamic_poisson_gamma": "forecast.families.dynamic_poisson_gamma.family:DynamicPoissonGamma",
}
"""Name of each family and where it is; imported only when asked for."""


@cache
def family_locations() -> dict[str, str]:
    """Return name and ``module:class`` of every family, plug-ins included."""
    plugged = {point.name: point.value for point in entry_points(group="forecast.families")}
    return {**plugged, **BUILT_IN}


def family_class(name: str, *, where: str = "") -> type[Family]:
    """Return the class of a family; `where` it was named is for the message.

    Raises
    ------
    InputError
        If there is none of this name; the nearest names are offered.
    """
    locations = family_locations()
    if name not in locations:
        raise unknown_name("family", name, locations, where=where)
    module, _, attribute = locations[name].partition(":")
    found: type[Family] = getattr(import_module(module), attribute)
    return found
