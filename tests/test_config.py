"""TOML specs: what is wrong is named with its key, and the nearest known key is offered."""

from pathlib import Path

import pytest

from forecast.config import parse, read_toml
from forecast.errors import InputError, nearest_names, unknown_name
from forecast.workspace import WorkspaceSpec

GOOD: dict[str, object] = {
    "title": "T",
    "data": {"set": "s"},
    "escalations": [{"name": "any", "rule": "any_event", "weeks": 4}],
    "models": {"use": ["zero"], "headline": "zero"},
    "report": {"name": "weekly"},
}


def wrong(**changes: object) -> str:
    with pytest.raises(InputError) as caught:
        parse(WorkspaceSpec, GOOD | changes, where="forecast.toml")
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_good_spec_is_read_with_its_defaults() -> None:
    spec = parse(WorkspaceSpec, GOOD, where="forecast.toml")
    assert spec.backtest.refit_every == 13
    assert spec.escalations[0].sentence() == "at least one event within the next 4 weeks"


@pytest.mark.parametrize(
    ("changes", "offered"),
    [
        ({"tilte": "x"}, "did you mean 'title'"),
        ({"backtest": {"horizn": 4}}, "did you mean 'horizon'"),
        ({"data": {"set": "s", "colums": {}}}, "did you mean 'columns'"),
        ({"places": [{"name": "Bamako", "radius": 50}]}, "did you mean 'radius_km'"),
        ({"escalations": [{"name": "a", "rule": "at_least", "count": 1, "week": 4}]}, "did you mean 'weeks'"),
        ({"escalations": [{"name": "a", "rule": "increase", "facter": 2}]}, "did you mean 'factor'"),
    ],
)
def test_unknown_keys_name_the_nearest(changes: dict[str, object], offered: str) -> None:
    message = wrong(**changes)
    assert "unknown key" in message
    assert offered in message
    assert "where: forecast.toml" in message


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"data": {}}, "either `set` or `table`"),
        ({"data": {"set": "a", "table": "b"}}, "either `set` or `table`"),
        ({"backtest": {"horizon": 0}}, "backtest.horizon = 0"),
        ({"backtest": {"horizon": 10_000}}, "backtest.horizon = 10000"),
        ({"models": {"use": ["zero"], "headline": "last"}}, "'last' is not among the models"),
        ({"escalations": []}, "escalations"),
        ({"escalations": [{"name": "a", "rule": "any_event", "weeks": 20}]}, "beyond the horizon"),
        ({"escalations": [{"name": "a", "rule": "any_event"}] * 2}, "same name"),
        ({"places": [{"name": "Bamako", "radius_km": 5}]}, "places 'Bamako' radius_km = 5"),
    ],
)
def test_values_out_of_range_are_named(changes: dict[str, object], part: str) -> None:
    assert part in wrong(**changes)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        (
            {"models": {"use": ["glm-negbin", "zero"], "headline": "glm-negbn"}},
            ["models: headline 'glm-negbn' is not among", "did you mean 'glm-negbin'?"],
        ),
        ({"models": {"use": ["zero"], "headline": "x"}}, ["headline 'x'", "which are zero"]),
        (
            {"escalations": [{"name": "any", "rule": "any_evnt"}]},
            ["escalations 'any': unknown rule 'any_evnt'", "did you mean 'any_event'?", "above_recent, any_event"],
        ),
        ({"escalations": [{"name": "any"}]}, ["escalations 'any': key 'rule' is missing"]),
        (
            {"escalations": [{"name": "Any event", "rule": "any_event"}]},
            ["escalations 'Any event' name = 'Any event'", "small letters, digits and underscores, beginning with"],
        ),
        (
            {"escalations": [{"name": "a", "rule": "at_least", "count": 0}]},
            ["escalations 'a' count = 0: should be greater than or equal to 1"],
        ),
        ({"escalations": [{"name": "a", "rule": "any_event", "weeks": 20}]}, ["escalation 'a' looks 20 weeks ahead"]),
        ({"places": [{"radius_km": 50}]}, ["key 'places number 1 name' is missing"]),
        ({"models": {"use": ["zero", 3], "headline": "zero"}}, ["models.use number 2 = 3"]),
        ({"models": {"use": [], "headline": "zero"}}, ["models.use has fewer than 1 entries"]),
        ({"models": {"use": "zero", "headline": "zero"}}, ["models.use is not a list", 'such as ["one", "two"]']),
        ({"models": ["zero"]}, ["models is not a section of keys"]),
        ({"backtest": {"draws": "many"}}, ["backtest.draws = 'many': should be a valid integer\n"]),
        ({"data": {}}, ["data: give either `set` or `table`"]),
    ],
)
def test_messages_are_in_plain_words(changes: dict[str, object], parts: list[str]) -> None:
    message = wrong(**changes)
    for part in parts:
        assert part in message
    for raw in ("Value error", "Tuple should", "String should match", "{'", "^[a-z]", "\n = ", "instance of", "Input"):
        assert raw not in message
    assert not message.startswith(" ")


def test_a_list_whose_entries_are_wrong_is_not_called_empty_too() -> None:
    assert "fewer" not in wrong(escalations=[{"name": "a", "rule": "any_evnt"}])


def test_a_missing_key_is_named() -> None:
    with pytest.raises(InputError, match="key 'title' is missing"):
        parse(WorkspaceSpec, {key: value for key, value in GOOD.items() if key != "title"}, where="x")


def test_files_that_are_no_toml(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file absent\.toml"):
        read_toml(tmp_path / "absent.toml")
    (tmp_path / "broken.toml").write_text("a = = 1")
    with pytest.raises(InputError, match="not valid TOML"):
        read_toml(tmp_path / "broken.toml")
    (tmp_path / "latin.toml").write_bytes('a = "Ségou"'.encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_toml(tmp_path / "latin.toml")
    with pytest.raises(InputError, match="cannot read"):
        read_toml(tmp_path)


def test_names_are_matched_without_case_and_accents() -> None:
    assert nearest_names("segou", ["Ségou", "Mopti"]) == ["Ségou"]
    assert "such as 'Mopti'" in str(unknown_name("region", "mopty", ["Mopti", "Gao"]))
    assert "... (20 in all)" in str(unknown_name("region", "zzz", [f"Name{i}" for i in range(20)]))
