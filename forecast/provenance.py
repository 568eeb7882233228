"""Where results come from: seeds, hashes, versions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

import forecast

TRACKED = ("numpy", "scipy", "pandas", "numba", "statsmodels", "scikit-learn", "pyarrow", "plotly")
"""Packages whose versions can change a result."""


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of one task, independent of those of all other names and of the order of work.

    Examples
    --------
    >>> bool(generator(1, "model", "2026-08-01").random() == generator(1, "model", "2026-08-01").random())
    True
    """
    digest = hashlib.sha256("\x1f".join(names).encode()).digest()
    words = np.frombuffer(digest[:16], dtype="<u4").astype(np.uint64)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words.tolist()])))


def hash_bytes(*parts: bytes) -> str:
    """Return the sha256 of the parts, each with its length, so that moving a border changes it."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def hash_json(content: Any) -> str:
    """Return the sha256 of a JSON-like value; the order of keys does not matter."""
    return hash_bytes(json.dumps(content, sort_keys=True, default=str).encode())


def hash_file(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_files(paths: Iterable[Path], root: Path) -> dict[str, str]:
    """Return path below `root` and sha256 of each file, in order of the paths."""
    return {path.relative_to(root).as_posix(): hash_file(path) for path in sorted(paths)}


def versions() -> dict[str, str]:
    """Return the versions of this package and of those that can change a result."""
    return {"escalation-forecast": forecast.__version__, **_installed()}


@cache
def _installed() -> dict[str, str]:
    """Versions do not change while a process runs, and to look them up takes milliseconds."""
    found = {}
    for name in TRACKED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
