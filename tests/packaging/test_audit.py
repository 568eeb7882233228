"""The audit of dependencies: fails for what is known, and says what was not looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AUDIT = ROOT / ".ci" / "audit.py"
GOOD = {"name": "numpy", "version": "2.4.0", "vulns": []}
BAD = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}]}
SKIPPED = {"name": "idna", "skip_reason": "Dependency not found on PyPI"}

pytestmark = pytest.mark.skipif(
    not AUDIT.is_file() or os.name == "nt", reason="needs the checkout, and programs that begin with #!"
)


@pytest.fixture
def audit(tmp_path):
    """A function that runs the audit with a pip-audit which says so, and returns code, stdout and stderr."""

    def run(stdout: str, stderr: str = "", code: int = 0):
        program = tmp_path / "pip-audit"
        program.write_text(
            f"#!{sys.executable}\nimport sys\nsys.stdout.write({stdout!r})\nsys.stderr.write({stderr!r})\n"
            f"assert '--require-hashes' in sys.argv\nsys.exit({code})\n",
            encoding="utf-8",
        )
        program.chmod(0o755)
        command = [sys.executable, AUDIT, "constraints.txt", "--pip-audit", program]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


def test_nothing_known(audit):
    assert audit(json.dumps({"dependencies": [GOOD]})) == (0, "No known vulnerability in 1 packages.\n", "")


def test_a_known_vulnerability_fails(audit):
    code, _, told = audit(json.dumps({"dependencies": [GOOD, BAD]}), code=1)
    assert code == 1
    assert "old 1.0: PYSEC-2026-1, fixed in 1.1" in told
    assert "UPGRADE=--upgrade" in told


def test_what_was_not_looked_up_is_said(audit):
    code, out, told = audit(json.dumps({"dependencies": [GOOD, SKIPPED]}))
    assert (code, out) == (0, "No known vulnerability in 1 packages.\n")
    assert told.startswith("NOT AUDITED: 1 of 2 packages: Dependency not found")


@pytest.mark.parametrize(
    "said",
    [
        "ERROR: ConnectionError: HTTPSConnectionPool: Max retries exceeded",
        "Failed to resolve 'index.example'",
        "ServiceError: 503 Server Error",
    ],
)
def test_without_a_network_it_says_so_and_passes(audit, said):
    code, out, told = audit("", said, code=1)
    assert (code, out) == (0, "")
    assert told.startswith("NOT AUDITED: the vulnerability database cannot be reached")


def test_another_failure_fails(audit):
    code, _, told = audit("", "requirement is not hashed", code=1)
    assert code == 1
    assert "pip-audit failed" in told


def test_it_is_no_part_of_the_tests_of_ci():
    assert "audit" not in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert ".ci/audit.py constraints.txt" in (ROOT / "Makefile").read_text(encoding="utf-8")
