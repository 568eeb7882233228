"""Draws by PyMC and nutpie: the No-U-Turn sampler and variational inference on the marginal posterior.

The model has one vector of variables, standard normal as the Laplace approximation has it, and the posterior's ratio to
that as a potential. What is compiled depends on the number of parameters alone: it is
compiled once in a process, and further panels are handed to it.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.families.bayes.centred import Centred
from forecast.families.bayes.density import Density
from forecast.families.bayes.laplace import Mode, find_mode, importance_sample
from forecast.families.bayes.optional import imported
from forecast.families.bayes.pareto import effective_draws
from forecast.families.bayes.posterior import Diagnostics, Posterior

Floats = NDArray[np.float64]

TARGET_ACCEPT = (0.9, 0.98)
"""Somewhat smaller steps than usual: the tails of spreads and half-lives are skewed. The second where these diverge."""
SCOUTS = 600
"""Draws of importance sampling that tell mean and covariance, on whose scale the sampler moves."""
ADVI_STEPS = 2_000
ADVI_RATE = 0.02


class Target:
    """The posterior that a compiled model evaluates: exchanged from fit to fit."""

    def __init__(self) -> None:
        self.density: Centred | None = None
        self.centre: Floats = np.zeros(0)
        self.root: Floats = np.zeros((0, 0))

    def aim(self, density: Centred, mode: Mode) -> None:
        """Take another posterior, and the scale on which it is near a standard normal."""
        self.density, self.centre = density, mode.z
        self.root = np.asarray(np.linalg.cholesky(mode.covariance), np.float64)

    def coordinates(self, white: Floats) -> Floats:
        """Return the coordinates of white ones, shape (..., parameters)."""
        return np.asarray(self.centre + white @ self.root.T)

    def __call__(self, white: Floats) -> tuple[float, Floats]:
        """Return the log posterior over the normal approximation, and the gradient; far away it leads back."""
        assert self.density is not None
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value, gradient = self.density.log_posterior(self.coordinates(white))
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return -1e10, -white
        return value + 0.5 * float(white @ white), self.root.T @ gradient + white


@cache
def _model(size: int) -> tuple[Target, Any]:
    """Return a PyMC model of so many parameters, and what it evaluates."""
    pm, pt = imported("pymc", "this method"), imported("pytensor.tensor", "this method")
    graph = imported("pytensor.graph.basic", "this method")
    op = imported("pytensor.graph.op", "this method")
    target = Target()

    class LogPosterior(op.Op):  # type: ignore[misc, name-defined]
        """`Target` and its gradient as a node of PyTensor."""

        def make_node(self, white: Any) -> Any:
            """Take the white parameters."""
            return graph.Apply(self, [pt.as_tensor(white)], [pt.dscalar(), pt.dvector()])

        def perform(self, node: Any, inputs: list[Floats], outputs: list[list[Floats]]) -> None:
            """Evaluate."""
            del node
            value, gradient = target(inputs[0])
            outputs[0][0], outputs[1][0] = np.asarray(value), gradient

        def pullback(self, inputs: list[Any], outputs: list[Any], cotangents: list[Any]) -> list[Any]:
            """Return the gradient."""
            del outputs
            return [cotangents[0] * self(*inputs)[1]]

        def grad(self, inputs: list[Any], cotangents: list[Any]) -> list[Any]:
            """Return the gradient, as versions of PyTensor without pullbacks ask for it."""
            return self.pullback(inputs, [], cotangents)

    with pm.Model() as model:
        white = pm.Normal("white", 0.0, 1.0, shape=size)
        pm.Potential("log_posterior_over_normal", LogPosterior()(white)[0])
    return target, model


@cache
def _compiled(size: int) -> Any:
    """Return the model compiled for nutpie; seconds, once in a process."""
    nutpie = imported("nutpie", "method = 'nuts'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the filter runs as Python calls into its own compiled kernels
        return nutpie.compile_pymc_model(_model(size)[1], default_initialization_strategy="prior")


def by_nuts(
    density: Density,
    rng: np.random.Generator,
    start: Floats | None = None,
    *,
    chains: int = 4,
    tune: int = 150,
    samples: int = 500,
) -> Posterior:
    """Return draws of the No-U-Turn sampler, on the scale that importance sampling has found.

    Where the diagnostics call them unreliable, as many chains more are run, once; in place of the first if there were
    divergences, and with smaller steps.

    Parameters
    ----------
    density : Density
    rng : Generator
    start : ndarray, shape (parameters,), optional
        Standardised parameters at which the search for the mode starts.
    chains, tune, samples : int
        Chains, and draws of each before and after they count.

    Raises
    ------
    InputError
        If PyMC, nutpie or ArviZ is not installed.
    """
    nutpie, arviz = imported("nutpie", "method = 'nuts'"), imported("arviz", "method = 'nuts'")
    target, _ = _model(len(density.layout))
    compiled = _compiled(len(density.layout))
    centred = Centred(density)
    mode = find_mode(centred, rng, None if start is None else centred.of(start))
    scouted = importance_sample(centred, mode, SCOUTS, rng)
    chosen = centred.informed(mode.z, np.asarray(np.linalg.inv(mode.covariance), np.float64))
    target.aim(chosen, _found_scale(chosen.of(centred.standardised(scouted.z)), scouted.weights))
    none = np.empty((0, samples, len(density.layout)))
    every, divergences = none, 0
    for _ in range(2):
        accept = TARGET_ACCEPT[divergences > 0]
        every, divergences = (none if divergences else every), 0
        sampler = nutpie.sample(
            compiled, draws=samples, tune=tune, chains=chains, cores=1, seed=int(rng.integers(2**31)),
            progress_bar=False, save_warmup=False, target_accept=accept, blocking=False,
        )  # fmt: skip
        try:
            trace = sampler.wait()
        except BaseException:  # where it waits by itself, an interruption ends in the draws so far
            sampler.cancel()
            raise
        fresh = target.coordinates(np.asarray(trace.posterior["white"]))
        every = np.concatenate([every, density.layout.natural(chosen.standardised(fresh))])
        divergences = int(trace.sample_stats["diverging"].sum())
        drawn = arviz.convert_to_dataset({"theta": every})
        r_hat, bulk_ess = float(arviz.rhat(drawn)["theta"].max()), float(arviz.ess(drawn)["theta"].min())
        found = Diagnostics("nuts", r_hat=r_hat, bulk_ess=bulk_ess, divergences=divergences)
        if not found.remarks():
            break
    draws, at = every.reshape(-1, every.shape[-1]), centred.standardised(mode.z)
    return Posterior(density.layout, draws, np.full(len(draws), 1 / len(draws)), at, found, found.remarks(), every)


def _found_scale(coordinates: Floats, weights: Floats) -> Mode:
    """Return mean and covariance of weighted draws; a few draws are mixed with the prior, on whose scale they stand."""
    mean = weights @ coordinates
    around = coordinates - mean
    enough = effective_draws(weights)
    share = enough / (enough + len(mean))
    covariance = share * (weights[:, None] * around).T @ around + (1 - share) * np.eye(len(mean))
    return Mode(mean, covariance, converged=True)


def by_advi(density: Density, proposals: int, rng: np.random.Generator, start: Floats | None = None) -> Posterior:
    """Return draws from importance sampling around a full-rank variational approximation.

    Parameters
    ----------
    density : Density
    proposals : int
        Draws from which importance sampling chooses.
    rng : Generator
    start : ndarray, shape (parameters,), optional
        Standardised parameters at which the search for the mode starts.

    Raises
    ------
    InputError
        If PyMC is not installed.
    """
    pm = imported("pymc", "method = 'advi'")
    target, model = _model(len(density.layout))
    centred = Centred(density)
    mode = find_mode(centred, rng, None if start is None else centred.of(start))
    target.aim(centred, mode)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        found = pm.fit(
            ADVI_STEPS, method="fullrank_advi", model=model, random_seed=int(rng.integers(2**31)), progressbar=False,
            start={"white": np.zeros(len(density.layout))}, obj_optimizer=pm.adam(learning_rate=ADVI_RATE),
        )  # fmt: skip
        centre, scatter = np.asarray(found.mean.eval()), np.asarray(found.cov.eval())
    around = Mode(target.coordinates(centre), target.root @ scatter @ target.root.T, converged=True)
    sample = importance_sample(centred, around, proposals, rng)
    told = Diagnostics("advi", pareto_k=sample.k, effective=effective_draws(sample.weights))
    theta = density.layout.natural(centred.standardised(sample.z))
    return Posterior(density.layout, theta, sample.weights, centred.standardised(mode.z), told, told.remarks())
