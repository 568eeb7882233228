"""Colours: readable on their page, and told apart under every form of colour blindness."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from forecast.plots.chart import COUNTS, IN_THE_DARK, SERIES
from forecast.plots.theme import BAND_50, BAND_80, BAND_95, INK, MUTED, OBSERVED, PAPER, RISK_DARK, RISK_LIGHT

# Severity 1 of Machado, Oliveira and Fernandes (2009), doi:10.1109/TVCG.2009.113, in linear RGB.
SEEN_BY = {
    "everybody": np.eye(3),
    "deuteranopes": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopes": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "tritanopes": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
THEMES = {"light": dict.fromkeys(IN_THE_DARK), "dark": IN_THE_DARK}


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour))


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2.2."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def of(theme: str, *colours: str) -> list[str]:
    return [THEMES[theme][colour] or colour for colour in colours]


def test_contrast_of_black_and_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", THEMES)
def test_letters_and_lines_can_be_read(theme):
    (paper,) = of(theme, PAPER)
    assert all(contrast(colour, paper) >= 4.5 for colour in of(theme, INK, MUTED))
    assert all(contrast(colour, paper) >= 3 for colour in of(theme, *SERIES, OBSERVED))


@pytest.mark.parametrize("viewer", SEEN_BY)
@pytest.mark.parametrize("theme", THEMES)
def test_what_stands_side_by_side_is_told_apart(theme, viewer):
    seen = [lab(SEEN_BY[viewer] @ linear(colour)) for colour in of(theme, *SERIES)]
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 13


@pytest.mark.parametrize("viewer", SEEN_BY)
@pytest.mark.parametrize("theme", THEMES)
def test_classes_keep_their_order_for_everybody(theme, viewer):
    for scale in (RISK_LIGHT, COUNTS, (BAND_95, BAND_80, BAND_50)):
        light = [lab(SEEN_BY[viewer] @ linear(colour))[0] for colour in of(theme, *scale)]
        steps = np.diff(light)
        assert (np.abs(steps) > 3).all()
        assert len(set(np.sign(steps))) == 1


def test_the_classes_of_probability_have_their_own_dark_colours():
    assert of("dark", *RISK_LIGHT) == list(RISK_DARK)
