"""Every subject is measured by `make bench` and is on the page, which is what the results give."""

import ast
import shutil
import subprocess

import pytest

from benchmarks.clock import ROOT, timed
from benchmarks.environments import PEERS
from benchmarks.page import MISSING, PAGE, page
from benchmarks.subjects import SUBJECTS, subject

FOLDER = ROOT / "benchmarks"


def test_every_subject_is_in_make_bench():
    assert sorted(SUBJECTS) == sorted(file.stem for file in (FOLDER / "subjects").glob("[!_]*.py"))
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    done = subprocess.run(["make", "-n", "bench", "ARGS=hawkes"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "python -m benchmarks hawkes" in done.stdout


def test_results_are_those_of_subjects_and_the_page_says_what_has_none():
    measured = {file.stem for file in (FOLDER / "results").iterdir()}
    assert measured <= set(SUBJECTS)
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(MISSING) == len(set(SUBJECTS) - measured)
    assert all(f"## {subject(name).TITLE}" in text for name in SUBJECTS)


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_subject_has_what_the_page_needs(name):
    tree = ast.parse((FOLDER / "subjects" / f"{name}.py").read_text(encoding="utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    given = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert ast.get_docstring(tree)
    assert "measure" in names
    assert isinstance(given["TITLE"], ast.Constant)
    if "PEERS" in given:
        assert set(ast.literal_eval(given["PEERS"])) <= set(PEERS)


def test_the_page_is_of_the_committed_results():
    assert PAGE.read_text(encoding="utf-8") == page(FOLDER / "results")


def test_every_peer_is_pinned_and_has_its_script():
    for peer in PEERS.values():
        script = peer.script if peer.script.endswith(".R") else f"{peer.script}.py"
        assert (FOLDER / "peers" / script).is_file()
        wanted = [word for step in peer.steps for word in step if not word.startswith("-")]
        assert all("==" in word for word in wanted)


def test_a_cost_is_the_median_of_warm_calls():
    calls = []
    cost, found = timed(lambda: calls.append(1) or len(calls), runs=3)
    assert found == 4
    assert cost["runs"] == 3
    assert cost["core_seconds"] >= 0
