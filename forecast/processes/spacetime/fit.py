"""Stochastic declustering: what belongs to the background, where it comes from, and the rest by maximum likelihood."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from forecast.errors import InputError
from forecast.processes.spacetime.background import Background, best_neighbours
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.decays import Decay, PowerLaw, heavy_tailed
from forecast.processes.spacetime.fitted import FittedSpaceTime
from forecast.processes.spacetime.level import MOST_SD, Steps, walk_sd
from forecast.processes.spacetime.likelihood import Likelihood, Parameters

Floats = NDArray[np.float64]

ROUNDS = 30
CLOSE = 2e-3
"""Mean change of the probabilities between rounds below which they have settled."""
CHOOSING = (0, 2, 5)
"""Rounds before which the bandwidths' reach is chosen; later it stays, so that the rounds can settle."""
STRETCHES = (0.1, 1.0, 10.0)
"""Starts: scales in time and in squared distance, in units of those given."""
FEWEST = 20


def fit(
    catalogue: Catalogue,
    *,
    in_time: Decay | None = None,
    in_space: Decay | None = None,
    since: float | None = None,
    level_days: float = 91.0,
    level_sd: float | None = None,
    neighbours: float | None = None,
    background: tuple[Background, ...] | None = None,
    start: FittedSpaceTime | None = None,
) -> FittedSpaceTime:
    r"""Fit a background and what events cause nearby.

    .. math::

        \lambda_k(t, x) = \mu_k(t) u_k(x) + \sum_{t_j < t} n_{k k_j} g(t - t_j) f(|x - x_j|) / A_j

    In turns, until the probabilities that events belong to the background settle (Zhuang, Ogata & Vere-Jones 2002,
    https://doi.org/10.1198/016214502760046925; Mohler et al. 2011, https://doi.org/10.1198/jasa.2011.ap09546): the
    density `u` from events weighted by these probabilities; then `n`, `g`, `f` and the levels by maximum likelihood
    given `u`, each event left out of the density at its own place (levels by Newton's method, the rest by L-BFGS-B on
    the profile with its analytic gradient); then the probabilities.

    Parameters
    ----------
    catalogue : Catalogue
        `Catalogue.jittered` first if events are known to a day and a town.
    in_time : Decay, optional
        Form, start and cut-off in days; a power law (Omori's) up to 365 by default. `Exponential` is faster to fit.
    in_space : Decay, optional
        `heavy_tailed` (up to 200 km, by default) or `gaussian`.
    since : float, optional
        Only events from here on are explained; those before it are parents. The background density is constant in
        time, so that ten years suit it better than thirty. A time before the window means all of it.
    level_days : float, default 91
        Length of the steps of the levels; infinite for constant ones.
    level_sd : float, optional
        Standard deviation over a year of the random walk of the levels' logarithms; estimated without.
    neighbours : float, optional
        Weight that the bandwidths of the density reach over; by cross-validated likelihood without.
    background : tuple of Background, optional
        One a kind, if the density is known: nothing but maximum likelihood is left.
    start : FittedSpaceTime, optional
        An earlier fit of the same kinds and area: its decays, and how far its bandwidths reach, are where the search
        begins, which makes the next week's fit faster.

    Raises
    ------
    InputError
        If there are fewer than 20 events, of some kind fewer than 5, or the options make no sense.

    Examples
    --------
    >>> from forecast.processes.spacetime.area import Area
    >>> from forecast.processes.spacetime.decays import Exponential, gaussian
    >>> from forecast.processes.spacetime.simulate import simulate
    >>> truth = Parameters(np.log([[1.0]]), np.array([[0.5]]), Exponential(10.0, 100.0), gaussian(15.0, 100.0))
    >>> uniform = (Background.uniform(Area.box(0.0, 0.0, 5.0, 5.0)),)
    >>> events = simulate(truth, uniform, 1000.0, np.random.default_rng(1))
    >>> plain = {"in_time": Exponential(30.0, 100.0), "in_space": gaussian()}
    >>> found = fit(events, level_days=np.inf, background=uniform, **plain)
    >>> found.parameters.branching.round(1), round(found.parameters.in_time.mean)
    (array([[0.5]]), 10)
    """
    since = catalogue.start if since is None else max(catalogue.start, float(since))
    counts = _check(catalogue, since, level_sd, background, start)
    start_time: Decay = in_time or (start.parameters.in_time if start else PowerLaw(5.0, 1.2, 365.0))
    start_space: Decay = in_space or (start.parameters.in_space if start else heavy_tailed())
    steps = Steps.back_from(catalogue.end, since, level_days)
    likelihood = Likelihood.of(catalogue, since, steps, start_time, start_space)
    kinds = len(counts)
    levels = np.repeat(np.log(0.5 * counts / (catalogue.end - since))[:, None], len(steps), axis=1)
    at = Parameters(levels, np.full((kinds, kinds), 0.5 / kinds), start_time, start_space)
    sd, probability = level_sd or 0.5, np.full(int(counts.sum()), 0.5)
    change, success = np.inf, True
    reach: list[float | None] = [neighbours] * kinds
    if start is not None:
        at, sd = at._replace(branching=start.parameters.branching), level_sd or start.level_sd
        if neighbours is None:
            reach = [one.neighbours if np.isfinite(one.neighbours) else None for one in start.background]
        probability = _first(likelihood, at, start, sd)
    for turn in range(ROUNDS):
        if neighbours is None and background is None and start is None and turn in CHOOSING:
            reach = _reach(likelihood, probability)
        found = background or _backgrounds(likelihood, probability, reach)
        density = _density(likelihood, found, probability, known=background is not None)
        if turn == 0 and start is None:
            at = _best_start(likelihood, at, density, sd)
        at, success = _maximised(likelihood, at, density, sd)
        if level_sd is None:
            at, sd = _walked(likelihood, at, density, sd)
        before = probability
        base = likelihood.base(at, density)
        probability = base / (base + likelihood.triggered(at, likelihood.excitation(at)))
        change = float(np.abs(probability - before).mean())
        if change < CLOSE:
            break
    remarks = list(catalogue.remarks)
    if change >= CLOSE:
        remarks.append(f"declustering had not settled after {ROUNDS} rounds: mean change {change:.2g}")
    if not success:
        remarks.append("the search for the maximum stopped before it")
    return FittedSpaceTime.of(likelihood, at, tuple(found), density, probability, sd, tuple(remarks))


def _check(
    catalogue: Catalogue,
    since: float,
    level_sd: float | None,
    background: tuple[Background, ...] | None,
    start: FittedSpaceTime | None,
) -> Floats:
    if not catalogue.start <= since < catalogue.end:
        raise InputError(f"since {since:g}", expected=f"within the window, {catalogue.start:g} to {catalogue.end:g}")
    counts = np.bincount(catalogue.kinds[catalogue.times >= since], minlength=len(catalogue.names)).astype(np.float64)
    if counts.sum() < FEWEST:
        raise InputError(f"{counts.sum():g} events from {since:g} on", where="catalogue", expected=f"at least {FEWEST}")
    if counts.min() < 5:
        raise InputError(
            f"{counts.min():g} events of kind {catalogue.names[int(counts.argmin())]}",
            where="catalogue",
            expected="at least 5 of each kind",
            hint="leave the kind out, or do not tell kinds apart",
        )
    if level_sd is not None and not 0 < level_sd <= MOST_SD:
        raise InputError(f"level_sd {level_sd:g}", expected=f"above 0, at most {MOST_SD:g}")
    if background is not None and len(background) != len(counts):
        raise InputError(f"{len(background)} backgrounds", expected=f"{len(counts)}, one a kind")
    if start is not None and (
        start.catalogue.names != catalogue.names or len(start.catalogue.area) != len(catalogue.area)
    ):
        raise InputError("a start of other kinds or another area", where="start")
    return counts


def _first(likelihood: Likelihood, at: Parameters, start: FittedSpaceTime, sd: float) -> Floats:
    """Return the probabilities that an earlier fit gives, with levels of now."""
    density = _density(likelihood, start.background, np.empty(0), known=True)
    found = likelihood.excitation(at)
    at, _ = likelihood.with_best_levels(at, density, found, sd)
    base = likelihood.base(at, density)
    return np.asarray(base / (base + likelihood.triggered(at, found)))


def _reach(likelihood: Likelihood, probability: Floats) -> list[float | None]:
    events = likelihood.catalogue
    cells, kinds = events.cells[likelihood.counted], events.kinds[likelihood.counted]
    return [best_neighbours(events.area, cells[kinds == k], probability[kinds == k]) for k in range(len(events.names))]


def _backgrounds(likelihood: Likelihood, probability: Floats, reach: list[float | None]) -> tuple[Background, ...]:
    events = likelihood.catalogue
    cells, kinds = events.cells[likelihood.counted], events.kinds[likelihood.counted]
    return tuple(
        Background.smoothed(events.area, cells[kinds == k], probability[kinds == k], neighbours=reach[k])
        for k in range(len(events.names))
    )


def _density(likelihood: Likelihood, found: tuple[Background, ...], probability: Floats, *, known: bool) -> Floats:
    """Return the density of the background at each event: that event left out of it, unless it is known."""
    events = likelihood.catalogue
    cells, kinds = events.cells[likelihood.counted], events.kinds[likelihood.counted]
    density = np.empty(len(cells))
    for k, one in enumerate(found):
        of = kinds == k
        density[of] = one.density[cells[of]] if known else one.at(cells[of], probability[of])
    return density


def _best_start(likelihood: Likelihood, at: Parameters, density: Floats, sd: float) -> Parameters:
    """Return the best of a coarse grid of scales: the likelihood has several maxima."""
    limits = at.bounds()
    starts = []
    for time in STRETCHES:
        for space in STRETCHES:
            x = at.shape
            x[at.branching.size] += np.log(time)
            x[at.branching.size + len(at.in_time.x)] += np.log(space)
            start = at.with_shape(np.clip(x, limits[:, 0] + 0.1, limits[:, 1] - 0.1))
            found = likelihood.excitation(start)
            best, _ = likelihood.with_best_levels(start, density, found, sd)
            starts.append((likelihood.penalised(best, density, found, sd), best))
    return max(starts, key=lambda item: item[0])[1]


def _maximised(likelihood: Likelihood, at: Parameters, density: Floats, sd: float) -> tuple[Parameters, bool]:
    """Climb the profile: the levels are at their best for each shape."""
    limits = at.bounds()
    scale = np.sqrt(max(len(density), 1) / 10)  # about the curvature in logarithms
    now = at

    def loss(y: Floats) -> tuple[float, Floats]:
        nonlocal now
        trial = now.with_shape(y / scale)
        found = likelihood.excitation(trial)
        now, _ = likelihood.with_best_levels(trial, density, found, sd)
        value = likelihood.penalised(now, density, found, sd)
        return -value, -likelihood.gradient(now, density, found) / scale

    start = np.clip(at.shape, *limits.T)
    result = optimize.minimize(
        loss,
        start * scale,
        jac=True,
        method="L-BFGS-B",
        bounds=optimize.Bounds(*(limits.T * scale)),
        options={"ftol": 1e-11, "gtol": 1e-3, "maxiter": 200},
    )
    trial = now.with_shape(np.asarray(result.x) / scale)
    best, _ = likelihood.with_best_levels(trial, density, likelihood.excitation(trial), sd)
    inside = (result.x > limits[:, 0] * scale + 1e-6) & (result.x < limits[:, 1] * scale - 1e-6)
    flat = not inside.any() or float(np.abs(result.jac[inside]).max()) < 0.05
    return best, bool(result.success or flat)


def _walked(likelihood: Likelihood, at: Parameters, density: Floats, sd: float) -> tuple[Parameters, float]:
    """Fit the random walk of the levels, the rest held fixed."""
    found = likelihood.excitation(at)
    for _ in range(20):
        at, curvature = likelihood.with_best_levels(at, density, found, sd)
        before, sd = sd, walk_sd(likelihood.steps, at.levels, curvature)
        if abs(np.log(sd / before)) < 0.01:
            break
    return at, sd
