"""Panels that every family has to cope with, and every model there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.families.model import ModelSpec, read_models
from forecast.families.registry import family_locations

ROOT = Path(__file__).parents[2]


def every_model() -> list[ModelSpec]:
    """Return each spec of the catalogue, and each registered family with its default settings if no spec has them."""
    catalogue = list(read_models(ROOT / "models").values())
    covered = {model.family for model in catalogue if not model.settings}
    defaults = [
        ModelSpec(name="default-" + name.replace("_", "-"), family=name, title=name, method="Default settings.")
        for name in sorted(set(family_locations()) - covered)
    ]
    return [*defaults, *catalogue]


@pytest.fixture(params=every_model(), ids=lambda spec: spec.name)
def spec(request) -> ModelSpec:
    return request.param
