"""A forest whose leaves are negative binomials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from forecast.families.tree_ensemble.cases import Cases
from forecast.families.tree_ensemble.features import NAMES, Inputs

if TYPE_CHECKING:
    from sklearn.tree import ExtraTreeRegressor

Floats = NDArray[np.float64]

PSEUDO_EVENTS = 2.0
"""Expected events at the ratio of all cases that are added to each leaf."""
PSEUDO_CASES = 20.0
"""Cases of the scatter of all that are added to each leaf."""
LEAST_MEAN = 0.03
"""Below it a leaf says little of its own scatter, and takes that of all."""
SCATTER = (1e-3, 20.0)
"""Within which 1 / size of a leaf is kept."""


class ForestSettings(BaseModel):
    """How the trees are grown.

    Parameters
    ----------
    trees : int
        Their number.
    cases : int
        Drawn for each tree, without replacement.
    leaf_cases : int
        A leaf holds at least so many of them.
    features : float
        Share of the features that are looked at for each split.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    trees: Annotated[int, Field(ge=1, le=2000)] = 60
    cases: Annotated[int, Field(ge=100)] = 12_000
    leaf_cases: Annotated[int, Field(ge=1)] = 100
    features: Annotated[float, Field(gt=0, le=1)] = 0.3


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees, and for each of their nodes the ratio to the plain forecast and the size.

    Parameters
    ----------
    trees : tuple of ExtraTreeRegressor
    ratio, size : tuple of ndarray, shape (nodes of the tree,)
    """

    trees: tuple[ExtraTreeRegressor, ...]
    ratio: tuple[Floats, ...]
    size: tuple[Floats, ...]

    def moments(self, inputs: Inputs, plain: Floats) -> tuple[Floats, Floats]:
        """Return mean and size under each tree, each of shape (trees, cases)."""
        mean, size = np.empty((len(self.trees), len(plain))), np.empty((len(self.trees), len(plain)))
        for at, (tree, ratio, sizes) in enumerate(zip(self.trees, self.ratio, self.size, strict=True)):
            leaf = tree.tree_.apply(inputs)
            mean[at], size[at] = ratio[leaf] * plain, sizes[leaf]
        return mean, size

    def parameters(self) -> dict[str, float]:
        """Return how many trees and leaves there are, and by which features they split (shares of the gain)."""
        share = np.mean([tree.feature_importances_ for tree in self.trees], axis=0)
        leaves = float(np.mean([tree.get_n_leaves() for tree in self.trees]))
        shares = {f"importance of {name}": float(value) for name, value in zip(NAMES, share, strict=True)}
        return {"trees": float(len(self.trees)), "leaves a tree": leaves, **shares}


def grow_forest(cases: Cases, settings: ForestSettings, rng: np.random.Generator) -> Forest:
    r"""Grow extremely randomised trees, and fit a negative binomial in each leaf to all cases that fall into it.

    Trees are grown on the square roots of the counts, whose variance depends little on the mean. The leaf's mean is

    .. math:: \mu = x \, \frac{\sum w y + k q}{\sum w x + k}

    with the plain forecasts x, the same ratio q of all cases, and k `PSEUDO_EVENTS`; its size is that of the moments
    of the counts around these means, together with `PSEUDO_CASES` of the scatter of all.

    Parameters
    ----------
    cases : Cases
        At least one.
    settings : ForestSettings
    rng : Generator
    """
    from sklearn.tree import ExtraTreeRegressor  # noqa: PLC0415 - a second that no other family needs

    root = np.sqrt(cases.count)
    ratio_of_all = _ratio_of_all(cases)
    trees, ratios, sizes = [], [], []
    for _ in range(settings.trees):
        drawn = np.sort(rng.choice(len(cases), min(settings.cases, len(cases)), replace=False))
        tree = ExtraTreeRegressor(
            min_samples_leaf=settings.leaf_cases,
            max_features=settings.features,
            random_state=int(rng.integers(2**31)),
        )
        tree.fit(cases.inputs[drawn], root[drawn], sample_weight=cases.weight[drawn])
        ratio, size = _leaves(tree.tree_.apply(cases.inputs), tree.tree_.node_count, cases, ratio_of_all)
        trees.append(tree)
        ratios.append(ratio)
        sizes.append(size)
    return Forest(tuple(trees), tuple(ratios), tuple(sizes))


def _ratio_of_all(cases: Cases) -> float:
    """Return events over plain forecasts; above 0 without any event."""
    # Not as products of vectors, which a linear algebra library would sum by threads.
    events, expected = (cases.weight * cases.count).sum(), (cases.weight * cases.plain).sum()
    return float((events + 0.5) / (expected + 0.5))


def _leaves(leaf: NDArray[Any], nodes: int, cases: Cases, ratio_of_all: float) -> tuple[Floats, Floats]:
    """Return ratio and size of each node, shape (nodes,); only those of leaves are ever read."""
    weight = cases.weight

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(leaf, values, nodes), dtype=np.float64)

    events = total(weight * cases.count)
    ratio = (events + PSEUDO_EVENTS * ratio_of_all) / (total(weight * cases.plain) + PSEUDO_EVENTS)
    mean = ratio[leaf] * cases.plain
    excess, square = total(weight * ((cases.count - mean) ** 2 - mean)), total(weight * mean**2)
    pseudo = PSEUDO_CASES * np.maximum(events / np.maximum(total(weight), 1e-9), LEAST_MEAN) ** 2
    scatter = (excess + pseudo * (excess.sum() / square.sum())) / (square + pseudo)
    return ratio, 1 / np.clip(scatter, *SCATTER)
