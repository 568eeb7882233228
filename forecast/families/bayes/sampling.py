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

from forecast.families.bayes.density import Density
from forecast.families.bayes.laplace import Mode, find_mode, importance_sample
from forecast.families.bayes.optional import imported
from forecast.families.bayes.pareto import effective_draws
from forecast.families.bayes.posterior import Diagnostics, Posterior

Floats = NDArray[np.float64]

TARGET_ACCEPT = 0.95
"""Smaller steps than usual: the tails of spreads and half-lives are skewed, and longer steps diverge there."""
ADVI_STEPS = 2_000
ADVI_RATE = 0.02


class Target:
    """The posterior that a compiled model evaluates: exchanged from fit to fit."""

    def __init__(self) -> None:
        self.density: Density | None = None
        self.centre: Floats = np.zeros(0)
        self.root: Floats = np.zeros((0, 0))

    def aim(self, density: Density, mode: Mode) -> None:
        """Take another posterior, and the scale on which it is near a standard normal."""
        self.density, self.centre = density, mode.z
        self.root = np.asarray(np.linalg.cholesky(mode.covariance), np.float64)

    def standardised(self, white: Floats) -> Floats:
        """Return standardised parameters of white ones, shape (..., parameters)."""
        return np.asarray(self.centre + white @ self.root.T)

    def __call__(self, white: Floats) -> tuple[float, Floats]:
        """Return the log posterior over the normal approximation, and the gradient; far away it leads back."""
        assert self.density is not None
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value, gradient = self.density.log_posterior(self.standardised(white))
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
    tune: int = 200,
    samples: int = 300,
) -> Posterior:
    """Return draws of the No-U-Turn sampler, started from the Laplace approximation.

    Where the diagnostics call it unreliable it is run once more, for twice as long.

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
    mode = find_mode(density, rng, start)
    target.aim(density, mode)
    for length in (samples, 2 * samples):
        trace = nutpie.sample(
            compiled, draws=length, tune=tune, chains=chains, cores=1,
            seed=int(rng.integers(2**31)), progress_bar=False, save_warmup=False, target_accept=TARGET_ACCEPT,
        )  # fmt: skip
        white = np.asarray(trace.posterior["white"])
        found = Diagnostics(
            "nuts", r_hat=float(np.max(arviz.rhat(trace.posterior)["white"])),
            bulk_ess=float(np.min(arviz.ess(trace.posterior)["white"])),
            divergences=int(trace.sample_stats["diverging"].sum()),
        )  # fmt: skip
        if not found.remarks():
            break
    every = density.layout.natural(target.standardised(white))
    draws = every.reshape(-1, every.shape[-1])
    return Posterior(density.layout, draws, np.full(len(draws), 1 / len(draws)), mode.z, found, found.remarks(), every)


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
    mode = find_mode(density, rng, start)
    target.aim(density, mode)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        found = pm.fit(
            ADVI_STEPS, method="fullrank_advi", model=model, random_seed=int(rng.integers(2**31)), progressbar=False,
            start={"white": np.zeros(len(density.layout))}, obj_optimizer=pm.adam(learning_rate=ADVI_RATE),
        )  # fmt: skip
        centre, scatter = np.asarray(found.mean.eval()), np.asarray(found.cov.eval())
    around = Mode(target.standardised(centre), target.root @ scatter @ target.root.T, converged=True)
    sample = importance_sample(density, around, proposals, rng)
    told = Diagnostics("advi", pareto_k=sample.k, effective=effective_draws(sample.weights))
    return Posterior(density.layout, density.layout.natural(sample.z), sample.weights, mode.z, told, told.remarks())
