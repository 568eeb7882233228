"""What is installed is pinned, with hashes, and from nowhere in particular (CONTRIBUTING.md says how)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
SHA256 = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def pins_of(text: str) -> dict[str, list[tuple[str, Marker | None, int]]]:
    """Return version, marker and number of hashes of each pin of each package."""
    pins: dict[str, list[tuple[str, Marker | None, int]]] = {}
    for line in text.replace("\\\n", " ").splitlines():
        requirement = Requirement(line.partition("--hash")[0])
        (pin,) = requirement.specifier
        assert pin.operator == "==", line
        hashes = len(SHA256.findall(line))
        pins.setdefault(canonicalize_name(requirement.name), []).append((pin.version, requirement.marker, hashes))
    return pins


def direct_requirements() -> list[Requirement]:
    """Return what pyproject.toml asks for: the package, its build and every dependency group."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [item for group in project["dependency-groups"].values() for item in group if isinstance(item, str)]
    return [
        Requirement(item)
        for item in (*project["project"]["dependencies"], *project["build-system"]["requires"], *groups)
    ]


PINS = pins_of(CONSTRAINTS)


@pytest.mark.parametrize("requirement", direct_requirements(), ids=str)
def test_every_direct_dependency_is_pinned_within_its_range(requirement):
    pins = PINS[canonicalize_name(requirement.name)]
    assert all(requirement.specifier.contains(version) for version, _, _ in pins)


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_direct_dependency_has_one_pin_for_each_python(python):
    environment = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
    for requirement in direct_requirements():
        pins = PINS[canonicalize_name(requirement.name)]
        assert sum(marker is None or marker.evaluate(environment) for _, marker, _ in pins) == 1, requirement


def test_every_pin_has_hashes():
    assert [name for name, pins in PINS.items() if any(hashes == 0 for _, _, hashes in pins)] == []


def test_no_download_address_is_recorded():
    assert "://" not in CONSTRAINTS
    assert not re.search(r"^\s*(-i|-f|--index|--extra-index|--find-links|.*@ )", CONSTRAINTS, re.MULTILINE)


def test_pins_are_installed_as_they_are():
    """Left to resolve, pip before 23.3 takes the latest release for a requirement with an extra, whatever is pinned."""
    for name in ("Makefile", "CONTRIBUTING.md"):
        installs = re.findall(r"pip install .*-r constraints\.txt", (ROOT / name).read_text(encoding="utf-8"))
        assert installs, name
        assert all("--no-deps --require-hashes" in each for each in installs), name


def test_the_groups_of_the_pinned_environment_are_all_groups():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    assert {item["include-group"] for item in groups["dev"]} == set(groups) - {"dev"}


def test_a_pin_without_hash_or_with_a_range_would_be_seen():
    assert pins_of("numpy==2.4.6 \\\n    --hash=sha256:" + "0" * 64)["numpy"] == [("2.4.6", None, 1)]
    assert pins_of("numpy==2.4.6")["numpy"] == [("2.4.6", None, 0)]
    with pytest.raises(AssertionError, match="numpy"):
        pins_of("numpy>=2.4.6")
