"""Other libraries: each in an environment of its own below out/bench, made when it is first wanted, versions pinned.

A peer is a script of benchmarks/peers. It gets a folder with the same input that this package was measured on, and
writes its version, its times and what it found into ``<peer>.json`` there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.clock import OUT, ROOT, surroundings

SCRIPTS = ROOT / "benchmarks" / "peers"
NUMBA = ("numba==0.68.1", "numpy==2.4.6", "scipy==1.17.1")
PATIENCE = 1800
"""Seconds for an installation, or for all that a peer is asked."""


@dataclass(frozen=True)
class Peer:
    """How a library is installed.

    Parameters
    ----------
    name : str
    script : str
        In benchmarks/peers: a module, or a file of R.
    steps : tuple
        Arguments of one ``pip install`` each; none for a package of R, which has to be there.
    """

    name: str
    script: str
    steps: tuple[tuple[str, ...], ...] = ()


PEERS = {
    peer.name: peer
    for peer in (
        # Written for Cython 0.29 and numpy 1; its build names neither.
        Peer(
            "hawkeslib",
            "with_hawkeslib",
            (
                ("setuptools==69.5.1", "wheel==0.45.1", "cython==0.29.37", "numpy==1.26.4", "scipy==1.13.1"),
                ("numdifftools==0.9.42", "--no-build-isolation", "hawkeslib==0.2.2"),
            ),
        ),
        Peer("hawkesbook", "with_hawkesbook", (("hawkesbook==0.1.0", *NUMBA),)),
        Peer("HawkesPyLib", "with_hawkespylib", (("HawkesPyLib==0.3.0", *NUMBA),)),
        Peer(
            "Hawkes",
            "with_hawkes",
            (("hawkes==1.0.0", "cython==3.3.1", "setuptools==80.9.0", "numpy==2.4.6", "scipy==1.17.1"),),
        ),
        # It does not say that it needs numpydoc (it reads its own docstrings) and six.
        Peer(
            "tick",
            "with_tick",
            (("tick==0.8.0.2", "numpydoc==1.11.0", "six==1.17.0", "numpy==2.4.6", "scipy==1.17.1"),),
        ),
        Peer("properscoring", "with_properscoring", (("properscoring==0.1", *NUMBA),)),
        Peer("scoringrules", "with_scoringrules", (("scoringrules==0.10.0", *NUMBA),)),
        Peer("surveillance", "surveillance.R"),
        Peer("tscount", "tscount.R"),
    )
}


def answers(peers: Sequence[str], folder: Path) -> dict[str, dict[str, Any]]:
    """Ask peers, one after the other, about the input in a folder.

    Returns
    -------
    dict
        By peer: ``version`` and, by task, ``core_seconds``, ``found`` or ``failed``; or why it is ``absent``.
    """
    return {name: _patiently(PEERS[name], folder) for name in peers}


def _patiently(peer: Peer, folder: Path) -> dict[str, Any]:
    try:
        return _answer(peer, folder)
    except subprocess.TimeoutExpired:
        return {"absent": f"it took more than {PATIENCE // 60} minutes"}


def _answer(peer: Peer, folder: Path) -> dict[str, Any]:
    command = _with_r(peer) if peer.script.endswith(".R") else _with_python(peer)
    if isinstance(command, str):
        return {"absent": command}
    print(f"   {peer.name}", file=sys.stderr, flush=True)
    place = OUT / "peers" / peer.name
    place.mkdir(parents=True, exist_ok=True)
    # Its own home: some compile on their first import, and keep that there.
    variables = surroundings() | {"HOME": str(place), "PYTHONWARNINGS": "ignore"}
    with (place / "told.log").open("w", encoding="utf-8") as told:
        done = subprocess.run(
            [*command, str(folder)], cwd=ROOT, env=variables, stdout=told, stderr=told, check=False, timeout=PATIENCE
        )
    answer = folder / f"{peer.name}.json"
    if done.returncode or not answer.exists():
        return {"absent": f"its script ended with {done.returncode}: {_last_line(place / 'told.log')}"}
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return found


def _with_python(peer: Peer) -> list[str] | str:
    """Return the command of a peer's script, its environment made if it is not there; or why there is none."""
    place = OUT / "peers" / peer.name / "environment"
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp, wanted = place / ".installed", hashlib.sha256(repr((sys.version_info[:2], peer.steps)).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(place, ignore_errors=True)
        log = place.parent / "install.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        print(f"   installing {peer.name}", file=sys.stderr, flush=True)
        with log.open("w", encoding="utf-8") as told:
            pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
            for command in ([sys.executable, "-m", "venv", str(place)], *([*pip, *step] for step in peer.steps)):
                if subprocess.run(command, stdout=told, stderr=told, check=False, timeout=PATIENCE).returncode:
                    return f"could not be installed: {_last_line(log)}"
        stamp.write_text(wanted)
    return [str(python), "-m", f"benchmarks.peers.{peer.script}"]


def _with_r(peer: Peer) -> list[str] | str:
    script = shutil.which("Rscript")
    if script is None:
        return "R is not installed"
    code = f'quit(status = !requireNamespace("{peer.name}", quietly = TRUE))'
    if subprocess.run([script, "-e", code], capture_output=True, check=False).returncode:
        return "the R package is not installed"
    return [script, str(SCRIPTS / peer.script)]


def _last_line(log: Path) -> str:
    """Return the last line that says what is wrong."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    wrong = [line for line in lines if "error" in line.lower()]
    return (wrong or lines or ["without a word"])[-1][:200]
