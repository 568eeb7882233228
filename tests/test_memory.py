"""Memory of a process that the package owns."""

import subprocess
import sys

import pytest

MADE = """
import resource, sys
import numpy as np
from forecast.memory import keep_memory
if sys.argv[1] == "kept":
    keep_memory()
for number in range(300):
    held = [np.ones(100_000) for _ in range(8)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only the C library of GNU can be told")
def test_arrays_use_the_pages_of_earlier_ones() -> None:
    def faults(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", MADE, how], check=True, stdout=subprocess.PIPE, text=True)
        return int(done.stdout)

    plain, kept = faults("plain"), faults("kept")
    assert kept < plain - 10_000
