"""Reading TOML into checked specs; unknown keys are errors that name the nearest known key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from forecast.errors import InputError, nearest_names
from forecast.plain_text import is_plain

Spec = TypeVar("Spec", bound=BaseModel)

_QUOTE = "'"
_PATTERNS = {
    r"^[a-z][a-z0-9_]*$": "small letters, digits and underscores, beginning with a letter",
    r"^[A-Za-z]+:\w+$": "an authority and a code, such as EPSG:32630",
    r"^[a-z0-9][a-z0-9-]*$": "small letters, digits and hyphens, beginning with a letter or digit",
}
"""The patterns of names, in words."""


class Section(BaseModel):
    """A part of a spec: never changed, without keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's content.

    Raises
    ------
    InputError
        If the file is missing, is not UTF-8 or is not TOML.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"no file {path.name}", where=str(path.parent), hint="`forecast init DIR`") from None
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8 text", where=f"{path} byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=str(path)) from None
    except RecursionError:
        raise InputError("not valid TOML: nested too deeply", where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", where=str(path)) from None
    check_plain(content, where=str(path))
    return content


def check_plain(content: object, *, where: str) -> None:
    r"""Refuse settings with a text that acts on a terminal, or that reads as something else than it says.

    TOML and JSON can write such characters as escapes, which nobody does for an honest reason.

    Raises
    ------
    InputError
        For the first such text.

    Examples
    --------
    >>> check_plain({"title": "Gao \u202e"}, where="forecast.toml")
    Traceback (most recent call last):
    ...
    forecast.errors.InputError: 'Gao \u202e' has a control character
      where: forecast.toml
      expected: plain text
    """
    if isinstance(content, Mapping):
        for key, value in content.items():
            check_plain(key, where=where)
            check_plain(value, where=where)
    elif isinstance(content, (list, tuple)):
        for item in content:
            check_plain(item, where=where)
    elif isinstance(content, str) and not is_plain(content):
        shown = content if len(content) <= 60 else f"{content[:57]}..."
        raise InputError(f"{shown!r} has a control character", where=where, expected="plain text")


def parse(spec: type[Spec], content: object, *, where: str) -> Spec:
    """Return `content` as a checked spec.

    Raises
    ------
    InputError
        One message for all that is wrong, each with its key.
    """
    try:
        return spec.model_validate(content)
    except ValidationError as error:
        problems = [_problem(spec, content, item) for item in _roots(error.errors())]
    expected = next((text for _, text in problems if text), "")
    raise InputError("; ".join(problem for problem, _ in problems), where=where, expected=expected)


def _roots(errors: list[Any]) -> list[Any]:
    """Leave out what only follows from another error: a list that is empty because its entries were refused."""
    places = [item["loc"] for item in errors]
    return [
        item
        for item in errors
        if not any(len(place) > len(item["loc"]) and place[: len(item["loc"])] == item["loc"] for place in places)
    ]


def _problem(spec: type[BaseModel], content: object, item: Any) -> tuple[str, str]:
    """Return what is wrong with one key, and what was expected."""
    facts, path = item.get("ctx", {}), _path(content, item)
    rule = item["msg"].removeprefix("Input ").partition(", unable")[0]
    problem, expected = f"{path} = {item['input']!r}: {rule}", ""
    match item["type"]:
        case "extra_forbidden":
            known = _keys_at(spec, item["loc"][:-1])
            problem = f"unknown key {path!r}"
            expected = f"{_offered(str(item['loc'][-1]), known)}known keys: {', '.join(sorted(known))}"
        case "missing":
            problem = f"key {path!r} is missing"
        case "union_tag_not_found":
            problem = f"{path}: key {facts['discriminator']} is missing"
        case "union_tag_invalid":
            known = {tag.strip(_QUOTE) for tag in facts["expected_tags"].split(", ")}
            problem = f"{path}: unknown {facts['discriminator'].strip(_QUOTE)} {facts['tag']!r}"
            expected = f"{_offered(str(facts['tag']), known)}one of {', '.join(sorted(known))}"
        case "value_error":  # of a validator of ours: its message says it all, and the input may be the whole file
            problem = f"{path}: {facts['error']}" if path else str(facts["error"])
        case "string_pattern_mismatch":
            problem = f"{path} = {item['input']!r}"
            expected = _PATTERNS.get(facts["pattern"], f"text of the form {facts['pattern']}")
        case "model_type" | "model_attributes_type" | "dict_type":
            problem = f"{path or 'the file'} is not a section of keys"
        case "tuple_type" | "list_type":
            problem, expected = f"{path} is not a list", 'a list, such as ["one", "two"]'
        case "too_short":
            problem = f"{path} has fewer than {facts['min_length']} entries"
    return problem, expected


def _offered(name: str, known: set[str]) -> str:
    """Return the nearest known name as a question."""
    near = nearest_names(name, known, count=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _path(content: object, item: Any) -> str:
    """Return the keys that lead to an error; an entry of a list is called by its name where it has one.

    Examples
    --------
    >>> _path({"places": [{"name": "Gao", "radius_km": 1}]}, {"loc": ("places", 0, "radius_km"), "type": "less"})
    "places 'Gao' radius_km"
    """
    path, joint, last = "", "", len(item["loc"]) - 1
    for at, part in enumerate(item["loc"]):
        if isinstance(part, int) and isinstance(content, (list, tuple)):
            content = content[part]
            name = content.get("name") if isinstance(content, dict) else None
            path, joint = path + (f" {name!r}" if isinstance(name, str) else f" number {part + 1}"), " "
        elif isinstance(content, dict) and part in content:
            content = content[part]
            path, joint = f"{path}{joint}{part}", "."
        elif at == last and item["type"] == "missing":
            path = f"{path}{joint}{part}"
        # Otherwise it is no key of the file, but the tag by which one kind of rule is told from the others.
    return path


def _keys_at(spec: type[BaseModel], location: tuple[int | str, ...]) -> set[str]:
    """Return the keys known at a place within a spec, following fields, lists and tagged unions."""

    def models_in(annotation: Any) -> list[type[BaseModel]]:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return [annotation]
        return [model for part in get_args(annotation) for model in models_in(part)]

    level: list[type[BaseModel]] = [spec]
    for part in location:
        if isinstance(part, int):
            continue
        fields = [model.model_fields[part] for model in level if part in model.model_fields]
        if fields:
            level = [model for field in fields for model in models_in(field.annotation)]
        else:  # the tag of a union: the member whose `rule` or other tag has this value
            level = [
                model for model in level if any(part in get_args(f.annotation) for f in model.model_fields.values())
            ]
    return {field.alias or name for model in level for name, field in model.model_fields.items()}
