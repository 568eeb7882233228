"""Kernels run where nothing can be cached: a read-only installation without a home folder."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
from forecast.predictive.negbin import logpmf_one
from forecast.families import discount_negbin
from numba.core.caching import NullCache
assert isinstance(logpmf_one._cache, NullCache), logpmf_one._cache
print(round(logpmf_one(0, 1.0, float("inf")), 6))
"""


def test_kernels_work_where_nothing_can_be_cached() -> None:
    nowhere = os.environ | {"NUMBA_CACHE_LOCATOR_CLASSES": "IPythonCacheLocator"}  # takes no file that is not IPython's
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=nowhere, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("-1.0\n", "")


def test_kernels_are_cached_where_they_can_be() -> None:
    from numba.core.caching import NullCache

    from forecast.predictive.negbin import logpmf_one

    assert not isinstance(logpmf_one._cache, NullCache)
