"""The next week without a new fit: later events, the parameters as they were."""

from __future__ import annotations

import numpy as np

from forecast.errors import InputError
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.fitted import FittedSpaceTime
from forecast.processes.spacetime.level import Steps
from forecast.processes.spacetime.likelihood import Likelihood


def followed(fitted: FittedSpaceTime, catalogue: Catalogue, *, level_days: float = 91.0) -> FittedSpaceTime:
    """Return a fit in the state that later events leave it in.

    Branching, decays, the density of the background and the walk of the levels stay; the levels, counted back from the
    new end, are at their best for them (Newton's method). Much faster than `fit` with a `start`, for weekly forecasts
    between fits.

    Parameters
    ----------
    fitted : FittedSpaceTime
    catalogue : Catalogue
        Of the same area and kinds, with an end after the start of the window that was fitted.
    level_days : float, default 91
        As in `forecast.processes.spacetime.fit.fit`.

    Raises
    ------
    InputError
        If area, kinds or window do not fit.

    Examples
    --------
    >>> from forecast.processes.spacetime.area import Area
    >>> from forecast.processes.spacetime.background import Background
    >>> from forecast.processes.spacetime.decays import Exponential, gaussian
    >>> from forecast.processes.spacetime.fit import fit
    >>> from forecast.processes.spacetime.likelihood import Parameters
    >>> from forecast.processes.spacetime.simulate import simulate
    >>> truth = Parameters(np.log([[1.0]]), np.array([[0.5]]), Exponential(10.0, 100.0), gaussian(15.0, 100.0))
    >>> uniform = (Background.uniform(Area.box(0.0, 0.0, 5.0, 5.0)),)
    >>> events = simulate(truth, uniform, 500.0, np.random.default_rng(1))
    >>> then = fit(events.until(400.0), background=uniform)
    >>> now = followed(then, events)
    >>> now.catalogue.end, bool(np.allclose(now.parameters.shape, then.parameters.shape))
    (500.0, True)
    """
    before = fitted.catalogue
    if before.names != catalogue.names or len(before.area) != len(catalogue.area):
        raise InputError("events of other kinds or another area than those fitted", where="catalogue")
    since = max(fitted.likelihood.since, catalogue.start)
    if not since < catalogue.end:
        raise InputError(f"events until {catalogue.end:g}", expected=f"a window that ends after {since:g}")
    start = fitted.parameters
    steps = Steps.back_from(catalogue.end, since, level_days)
    likelihood = Likelihood.of(catalogue, since, steps, start.in_time, start.in_space)
    cells, kinds = catalogue.cells[likelihood.counted], catalogue.kinds[likelihood.counted]
    density = np.empty(len(cells))
    for kind, one in enumerate(fitted.background):
        density[kinds == kind] = one.density[cells[kinds == kind]]
    levels = np.repeat(start.levels[:, -1:], len(steps), axis=1)
    at = start._replace(levels=levels)
    found = likelihood.excitation(at)
    at, _ = likelihood.with_best_levels(at, density, found, fitted.level_sd)
    base = likelihood.base(at, density)
    probability = base / (base + likelihood.triggered(at, found))
    return FittedSpaceTime.of(
        likelihood, at, fitted.background, density, probability, fitted.level_sd, catalogue.remarks
    )
