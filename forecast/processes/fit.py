"""Maximum likelihood for Hawkes processes of any number of nodes, kernels' shapes included, with uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from forecast.errors import InputError
from forecast.processes.baseline import Baseline, Constant
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.information import Information
from forecast.processes.kernels import ExponentialKernel, MixtureKernel
from forecast.processes.profile import Profile

Floats = NDArray[np.float64]

STRETCHES = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Starts: mean lags, in units of the first kernel's."""
FIRST_EVENTS = 4_000
"""A longer history is fitted on its first events before all of it."""


@dataclass(frozen=True, eq=False)
class FittedHawkes:
    """A process fitted to a history.

    Parameters
    ----------
    model : Hawkes
        At the maximum of the likelihood.
    history : History
    loglik : float
    profile : Profile
        The likelihood of which it is the maximum.
    x : array, shape (shapes,)
        Shape parameters of the kernels, and the exponent of marks if it was fitted.
    information : Information
        Covariances, from the observed information.
    remarks : tuple of str
        What a reader of the fit should know: oddities of the history, an explosive fit, parameters on a bound.
    """

    model: Hawkes
    history: History
    loglik: float
    profile: Profile
    x: Floats
    information: Information
    remarks: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """Number of parameters that were estimated."""
        return self.model.coefficients.size + self.model.branching.size + len(self.x)

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * (self.parameters - self.loglik)

    def draw(self, rng: np.random.Generator) -> Hawkes:
        """Draw parameters around the estimate: normal, with branching ratios cut off at 0.

        Baselines and shapes are drawn on their own (logarithmic) scales; what lies on a bound stays there.
        """
        x, rows = self.information.draw(self.x, [np.append(m.b, m.theta) for m in self.profile.maxima], rng)
        bounds = self.profile.bounds()
        x = np.clip(x, bounds[:, 0], bounds[:, 1])
        features = len(self.model.baseline.names)
        return replace(
            self.model,
            coefficients=np.array([row[:features] for row in rows]),
            branching=np.maximum(np.array([row[features:] for row in rows]), 0.0),
            kernels=self.profile.kernels(x),
            mark_exponent=float(x[-1]) if self.profile.marked else 0.0,
            mark_scale=self.profile.mark_scale(x),
        )

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """Return all parameters with intervals.

        Intervals are normal: on the logarithmic scale for baselines' levels and for kernels, on their own for
        branching ratios (from 0 on) and other coefficients.

        Returns
        -------
        DataFrame
            parameter, target, source, estimate, low, high; one row a parameter.
        """
        z = float(stats.norm.ppf((1 + level) / 2))
        names, features = self.history.names, self.model.baseline.names
        rows: list[tuple[str, str, str, float, float, float]] = []
        row_errors, x_errors = self.information.errors()
        for k, target in enumerate(names):
            for f, feature in enumerate(features):
                error = float(z * row_errors[k][f])
                b = float(self.model.coefficients[k, f])
                low, high = b - error, b + error
                if feature.startswith("level"):
                    low, b, high = float(np.exp(low)), float(np.exp(b)), float(np.exp(high))
                rows.append((f"baseline {feature}", target, "", b, low, high))
            for j, source in enumerate(names):
                n, error = float(self.model.branching[k, j]), float(z * row_errors[k][len(features) + j])
                rows.append(("branching", target, source, n, float(np.maximum(n - error, 0.0)), n + error))
        rows += self._shape_rows(z * x_errors)
        return pd.DataFrame(rows, columns=["parameter", "target", "source", "estimate", "low", "high"])

    def _shape_rows(self, errors: Floats) -> list[tuple[str, str, str, float, float, float]]:
        names, shapes = self.history.names, len(self.profile.kernel.shape)
        pairs = [("", "")] if self.profile.shared else [(target, source) for target in names for source in names]
        rows = []
        for p, pair in enumerate(pairs):
            shape, error = self.x[p * shapes : (p + 1) * shapes], errors[p * shapes : (p + 1) * shapes]
            estimate = self.profile.kernel.with_shape(shape).natural()
            for q, name in enumerate(estimate):
                low = high = np.nan
                if q < shapes and np.isfinite(error[q]):
                    limits = self.profile.bounds()[q]
                    ends = [_replaced(shape, q, np.clip(shape[q] + sign * error[q], *limits)) for sign in (-1, 1)]
                    low, high = sorted(self.profile.kernel.with_shape(end).natural()[name] for end in ends)
                rows.append((name, *pair, float(estimate[name]), float(low), float(high)))
        if self.profile.marked:
            gamma, error = self.x[-1], errors[-1]
            rows.append(("mark exponent", "", "", float(gamma), float(gamma - error), float(gamma + error)))
        return rows

    def radius_interval(
        self, rng: np.random.Generator, *, level: float = 0.95, draws: int = 1000
    ) -> tuple[float, float]:
        """Return the interval of the spectral radius, from drawn parameters."""
        radii = [self.draw(rng).radius for _ in range(draws)]
        low, high = np.quantile(radii, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)


def fit(
    history: History,
    *,
    kernel: MixtureKernel | None = None,
    baseline: Baseline | None = None,
    shared: bool = True,
    marked: bool = False,
) -> FittedHawkes:
    """Return the process of the highest likelihood.

    For given shapes of the kernels the likelihood in baselines and branching ratios falls apart into nodes, and is
    maximised by Newton's method; its maximum as a function of the shapes is not concave, and is climbed with its
    analytic gradient (L-BFGS-B) from the best of several starts.

    Parameters
    ----------
    history : History
    kernel : MixtureKernel, optional
        Form of the kernels, and where to start; exponential by default.
    baseline : Baseline, optional
        Constant by default.
    shared : bool, default True
        One kernel for all pairs of nodes, or one for each (``nodes ** 2`` times as many shapes: slow for many nodes).
    marked : bool, default False
        Whether marks scale the offspring, with an exponent that is estimated.

    Raises
    ------
    InputError
        If there are fewer events than parameters, or marks that are all equal have to explain something.

    Examples
    --------
    >>> from forecast.processes.simulate import simulate_clusters
    >>> truth = Hawkes.exponential([0.3, 0.2], [[0.4, 0.0], [0.3, 0.2]], decay=1.0)
    >>> history = simulate_clusters(truth, 20_000.0, np.random.default_rng(1))
    >>> found = fit(history)
    >>> found.model.branching.round(1)
    array([[0.4, 0. ],
           [0.3, 0.2]])
    """
    kernel = kernel or ExponentialKernel(len(history.times) / history.duration)
    profile = Profile(history, baseline or Constant(), kernel, shared, marked)
    nodes = profile.nodes
    parameters = nodes * (nodes + len(profile.baseline.names)) + len(profile.start(kernel))
    if len(history.times) < parameters:
        raise InputError(
            f"{len(history.times)} events", where="history", expected=f"at least {parameters}, as many as parameters"
        )
    if marked and np.ptp(history.marks) == 0:
        raise InputError(f"all marks are {history.marks[0]:g}", where="history", expected="marks that differ")
    x, success = _climb_all(profile)
    loglik = sum(found.loglik for found in profile.maxima)
    model = profile.model(x)
    information = Information.of(profile.maxima, *profile.curvature(x))
    remarks = _remarks(profile, x, model, information, success)
    return FittedHawkes(model, history, loglik, profile, x, information, remarks)


def _climb_all(profile: Profile) -> tuple[Floats, bool]:
    """Maximise the likelihood: on the first events with a shared kernel, then on all of them.

    The first search starts from every point of a coarse grid that is better than its neighbours.
    """
    history, known = profile.history, profile.history
    if len(history.times) > 3 * FIRST_EVENTS:
        known = history.until(float(history.times[FIRST_EVENTS]))
    grid = replace(profile, history=known, shared=True, maxima=[])
    starts = [np.clip(grid.start(profile.kernel.stretched(factor)), *grid.bounds().T) for factor in STRETCHES]
    values = np.array([-np.inf, *(grid.value_and_gradient(x)[0] for x in starts), -np.inf])
    ends = []
    for at in np.flatnonzero((values[1:-1] >= values[:-2]) & (values[1:-1] >= values[2:])):
        search = replace(grid, maxima=list(grid.maxima))
        end, success = _climb(search, starts[at], np.full(len(starts[at]), np.sqrt(len(known.times) / 10)))
        ends.append((sum(found.loglik for found in search.maxima), end, success, search))
    _, x, success, search = max(ends, key=lambda item: item[0])
    if known is history and profile.shared:
        profile.maxima = search.maxima
        return x, success
    errors = Information.of(search.maxima, *search.curvature(x)).errors()[1]
    scale = np.where(errors > 0, 1.0 / errors, np.sqrt(len(known.times) / 10))
    scale *= np.sqrt(len(history.times) / len(known.times))  # the curvature grows with the events: then it is about 1
    if not profile.shared:
        shapes, pairs = len(profile.kernel.shape), profile.nodes**2
        x, scale = (np.concatenate([np.tile(v[:shapes], pairs), v[shapes:]]) for v in (x, scale))
    profile.maxima = search.maxima
    return _climb(profile, np.clip(x, *profile.bounds().T), scale)


def _climb(profile: Profile, x: Floats, scale: Floats) -> tuple[Floats, bool]:
    """Maximise the profile likelihood in x; steps are about one in units of 1 / scale."""
    asked = [x]

    def loss(y: Floats) -> tuple[float, Floats]:
        asked.append(y / scale)
        value, gradient = profile.value_and_gradient(y / scale)
        return -value, -gradient / scale

    low, high = profile.bounds().T * scale
    found = optimize.minimize(
        loss,
        x * scale,
        jac=True,
        method="L-BFGS-B",
        bounds=optimize.Bounds(low, high),
        options={"ftol": 1e-14, "gtol": 2e-3, "maxiter": 500},
    )
    # The search ends in an error of its own where rounding hides further gains: not a failure if the slope is flat.
    x = np.asarray(found.x / scale)
    if not np.array_equal(x, asked[-1]):
        profile.value_and_gradient(x)
    return x, bool(found.success or np.abs(found.jac).max() < 1e-2)


def _remarks(profile: Profile, x: Floats, model: Hawkes, information: Information, success: bool) -> tuple[str, ...]:
    remarks = list(profile.history.remarks)
    if not success:
        remarks.append("the search for the kernels' shapes stopped before the maximum")
    if model.radius >= 1:
        remarks.append(f"explosive: spectral radius {model.radius:.3g}, forecasts grow without bound")
    zero = int(np.count_nonzero(model.branching == 0))
    if zero:
        remarks.append(f"{zero} of {model.branching.size} branching ratios are 0, the bound: no interval for them")
    limits = profile.bounds()
    if ((x <= limits[:, 0] + 1e-6) | (x >= limits[:, 1] - 1e-6)).any():
        remarks.append("a kernel's shape lies on its bound: the delays are not identified")
    if np.isnan(information.errors()[1]).any():
        remarks.append("some shapes of the kernels have no standard error: the likelihood is flat in them")
    return tuple(remarks)


def _replaced(shape: Floats, entry: int, value: float) -> Floats:
    replaced = shape.copy()
    replaced[entry] = value
    return replaced
