"""UCDP versions: what a name says, what a release covers, which one holds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.events.ucdp_release import release_of, ucdp_scope


@pytest.mark.parametrize(
    ("name", "version", "kind", "first", "last"),
    [
        ("26.1", "26.1", "yearly", "1989-01-01", "2025-12-31"),
        ("ged261-csv.zip", "26.1", "yearly", "1989-01-01", "2025-12-31"),
        ("GEDEvent_v26_1.csv", "26.1", "yearly", "1989-01-01", "2025-12-31"),
        ("ucdp_ged201_nigeria_full.csv.gz", "20.1", "yearly", "1989-01-01", "2019-12-31"),
        ("17.2", "17.2", "yearly", "1989-01-01", "2016-12-31"),
        ("26.0.7", "26.0.7", "monthly", "2026-07-01", "2026-07-31"),
        ("GEDEvent_v23_0_10.csv", "23.0.10", "monthly", "2023-10-01", "2023-10-31"),
        ("GEDEvent_v24_0_2.csv.gz", "24.0.2", "monthly", "2024-02-01", "2024-02-29"),
        ("26.01.26.06", "26.01.26.06", "cumulative", "2026-01-01", "2026-06-30"),
        ("GEDEvent_v25_01_25_12.csv", "25.01.25.12", "cumulative", "2025-01-01", "2025-12-31"),
    ],
)
def test_names(name: str, version: str, kind: str, first: str, last: str) -> None:
    release = release_of(name)
    assert (release.version, release.kind) == (version, kind)
    assert (release.first, release.last) == (pd.Timestamp(first), pd.Timestamp(last))


@pytest.mark.parametrize(
    "name",
    [
        "events.csv",
        "ucdp_candidate_2026_sahel.csv",
        "26.0.13",
        "26.0",
        "2026-07-12.csv",
        "26.06.26.01",
        "09.1",
        "",
        "1",
    ],
)
def test_names_without_a_version(name: str) -> None:
    with pytest.raises(InputError, match="no UCDP version"):
        release_of(name)


def test_precedence() -> None:
    ordered = ["26.0.1", "26.0.6", "26.0.10", "25.01.25.12", "26.01.26.06", "26.01.26.07", "24.1", "25.1", "26.1"]
    assert [release.version for release in sorted(map(release_of, reversed(ordered)))] == ordered
    assert release_of("17.2") > release_of("17.1")
    assert release_of("26.01.26.06").supersedes(release_of("26.0.6"))
    assert not release_of("26.01.26.06").supersedes(release_of("26.0.7"))
    assert not release_of("26.0.6").supersedes(release_of("26.01.26.06"))


def test_scope() -> None:
    path = Path("x.csv")
    scope = ucdp_scope(path, release_of("26.0.2"), countries=["Mali"])
    assert scope is not None
    assert (scope.countries, scope.first, scope.last) == (
        ("Mali",),
        pd.Timestamp("2026-02-01"),
        pd.Timestamp("2026-02-28"),
    )
    assert ucdp_scope(path, release_of("26.0.2"), complete=False) is None
    assert ucdp_scope(path, None, complete=False) is None
    with pytest.raises(InputError, match="of which release"):
        ucdp_scope(path, None)
