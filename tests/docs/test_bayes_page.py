"""The page on Bayesian families: its example in Python gives what it shows, its model can be read."""

from __future__ import annotations

import doctest
import re
import tomllib
from pathlib import Path

from forecast.config import parse
from forecast.families.model import ModelSpec

PAGE = (Path(__file__).parents[2] / "docs" / "families" / "bayes.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    return re.search(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]


def test_the_example_in_python_gives_what_it_shows():
    example = doctest.DocTestParser().get_doctest(block("pycon"), {}, "bayes.md", "bayes.md", 0)
    told: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=told.append)
    assert outcome.attempted > 10
    assert outcome.failed == 0, "".join(told)


def test_the_model_of_the_page_can_be_built():
    model = parse(ModelSpec, tomllib.loads(block("toml")), where="docs/families/bayes.md")
    family = model.build()
    assert family.method == "nuts"
    assert family.priors.half_life.mean == 3.95
