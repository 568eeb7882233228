"""Decays: mass one, on the sphere too; slopes; quantiles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

from forecast.errors import InputError
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.decays import Exponential, PowerLaw, gaussian, heavy_tailed
from forecast.processes.spacetime.sphere import vectors

FORMS = [
    Exponential(10.0, 50.0),
    Exponential(400.0, 50.0),
    Exponential(0.01, 50.0),
    PowerLaw(2.0, 1.4, 50.0),
    PowerLaw(2.0, 0.6, 50.0),
    PowerLaw(2.0, 1.0, 50.0),
    PowerLaw(2.0, 1.0 + 1e-7, 50.0),
]


def density(form, v):
    """The density as the compiled kernel computes it."""
    scale, exponent, norm, _, _ = form.constants()
    falls = v / scale if isinstance(form, Exponential) else exponent * np.log1p(v / scale)
    return np.exp(-falls - norm)


@pytest.mark.parametrize("form", FORMS)
def test_a_density_integrates_to_its_cumulative(form):
    for upto in (0.05, 1.0, 20.0, 50.0):
        mass, _ = integrate.quad(lambda v: density(form, v), 0, upto, points=[min(0.02, upto / 2)], epsabs=1e-12)
        assert form.cumulative(upto) == pytest.approx(mass, rel=1e-9)
    assert form.cumulative(50.0) == form.cumulative(80.0) == pytest.approx(1.0)
    assert form.cumulative(-1.0) == 0.0


@pytest.mark.parametrize("form", FORMS)
def test_quantiles_undo_the_cumulative(form):
    share = np.linspace(0.0, 1.0, 11)
    np.testing.assert_allclose(form.cumulative(form.quantile(share)), share, atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_slopes_are_differences(form):
    size, v = 1e-5, np.array([0.0, 0.3, 7.0, 50.0, 70.0])
    slopes = form.cumulative_slopes(v)
    for q, unit in enumerate(np.eye(len(form.x))):
        up, down = (form.with_x(form.x + sign * size * unit) for sign in (1, -1))
        np.testing.assert_allclose(slopes[q], (up.cumulative(v) - down.cumulative(v)) / (2 * size), atol=1e-8)
        norm = (up.constants()[2] - down.constants()[2]) / (2 * size)
        assert form.constants()[3 + q] == pytest.approx(norm, abs=1e-8)


@pytest.mark.parametrize("latitude", [0.0, 35.0, 65.0])
@pytest.mark.parametrize("form", [gaussian(30.0, 150.0), heavy_tailed(20.0, 1.4, 150.0)])
def test_a_kernel_in_space_integrates_to_one_on_the_sphere(form, latitude):
    wide = 1.6 / np.cos(np.radians(latitude + 1.5))
    area = Area.box(latitude - 1.5, -wide, latitude + 1.5, wide, step=0.01)
    centre = vectors(np.array([latitude]), np.array([0.0]))
    square = ((area.vectors() - centre) ** 2).sum(axis=1)
    inside = square <= form.upto
    mass = (density(form, square[inside]) / np.pi) @ area.sizes[inside]
    assert mass == pytest.approx(1.0, abs=5e-4)


@pytest.mark.parametrize("values", [(0.0, 10.0), (np.nan, 10.0), (1.0, -1.0), (np.inf, 10.0)])
def test_parameters_are_above_zero(values):
    with pytest.raises(InputError, match="Exponential"):
        Exponential(*values)
    with pytest.raises(InputError, match="PowerLaw"):
        PowerLaw(values[0], 1.0, values[1])
