"""Tables of the keys of a spec: what pydantic knows of them, and what the docstrings of their classes say."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

Schema = dict[str, Any]

_SECTION = re.compile(r"^Parameters\n-+\n(?P<fields>.*?)(?=^\S[^\n]*\n-{3,}$|\Z)", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^(?P<names>\w[\w, ]*?)(?: : .*)?\n(?P<text>(?:[ \t]+.*\n?|\n)*)", re.MULTILINE)
_FORMATS = {"date": "date", "time": "time of day"}
_TYPES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}


def plain(text: str) -> str:
    """Return the text of a docstring in Markdown, as one line."""
    text = re.sub(r":math:`([^`]+)`", r"$\1$", text)
    return " ".join(re.sub(r"``([^`]+)``", r"`\1`", text).split())


def summary(spec: type) -> str:
    """Return the first paragraph of a docstring."""
    return plain((inspect.getdoc(spec) or "").split("\n\n")[0])


def described(spec: type) -> dict[str, str]:
    """Return what the docstrings of a class and of those that it extends say of each field."""
    found: dict[str, str] = {}
    for each in reversed(spec.__mro__):
        section = _SECTION.search(inspect.cleandoc(each.__dict__.get("__doc__") or ""))
        for field in _FIELD.finditer(section["fields"] if section else ""):
            for name in field["names"].split(","):
                found[name.strip()] = plain(field["text"])
    return found


def specs_within(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the specs that an annotation names, in its order."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from specs_within(part)


def sections(spec: type[BaseModel], path: str = "", *, level: int = 2, skip: frozenset[str] = frozenset()) -> str:
    """Return the tables of a spec and of all specs within it.

    Parameters
    ----------
    spec : type of BaseModel
    path : str
        The TOML table in which it stands, such as ``[data]``; empty for the top of a file.
    level : int
        Of its heading.
    skip : frozenset of str
        Keys that are told elsewhere.
    """
    parts = [heading([path] if path else [], level), f"{summary(spec)}\n", table(spec, skip)]
    places: dict[type[BaseModel], list[str]] = {}
    for name, field in spec.model_fields.items():
        tag = _tag(spec, name)
        for each in () if name in skip else specs_within(field.annotation):
            key = f'{tag} = "{get_args(each.model_fields[tag].annotation)[0]}"' if tag else ""
            inner = _inner(path, name, spec.model_json_schema()["properties"][name])
            places.setdefault(each, []).append(f"{inner} {key}".strip())
    deeper = min(level + 1, 4) if path else level
    for each, found in places.items():
        if len(found) == 1:
            parts.append(sections(each, found[0], level=deeper))
        else:
            parts += [heading(found, deeper), f"{summary(each)}\n", table(each)]
    return "\n".join(parts)


def heading(paths: list[str], level: int) -> str:
    """Return the heading of a table that stands in one place, in several alike, or at the top of a file."""
    shown_paths = ", ".join(f"`{path}`" for path in paths[:3]) if len(paths) < 4 else f"`{paths[0]}` and the like"
    return f"{'#' * level} {shown_paths or 'At the top of the file'}\n"


def table(spec: type[BaseModel], skip: frozenset[str] = frozenset()) -> str:
    """Return the table of the keys of a spec."""
    schema, told = spec.model_json_schema(), described(spec)
    rows = ["| key | value | default | what it is |", "| --- | --- | --- | --- |"]
    for name, each in schema.get("properties", {}).items():
        if name in skip or "const" in each:
            continue
        default = "required" if name in schema.get("required", ()) else shown(each.get("default"))
        text = each.get("description") or told.get(name) or _inner_summary(spec, name)
        rows.append(f"| `{name}` | {_cell(kind(each, schema))} | {default} | {_cell(text)} |")
    return "\n".join(rows) + "\n" if len(rows) > 2 else "It has no settings.\n"


def untold(spec: type[BaseModel]) -> list[str]:
    """Return the keys of a spec, and of those within it, of which no docstring tells anything."""
    told = described(spec)
    own = [
        f"{spec.__name__}.{name}"
        for name, each in spec.model_json_schema().get("properties", {}).items()
        if "const" not in each and not (each.get("description") or told.get(name) or _inner_summary(spec, name))
    ]
    within = [each for field in spec.model_fields.values() for each in specs_within(field.annotation)]
    return own + [name for each in within for name in untold(each)]


def kind(each: Schema, whole: Schema) -> str:
    """Return in words what values a key takes, such as "whole number, 1 to 52".

    Examples
    --------
    >>> kind({"type": "integer", "minimum": 1, "maximum": 52}, {})
    'whole number, 1 to 52'
    >>> kind({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}]}, {})
    'number above 0'
    >>> kind({"type": "array", "items": {"enum": ["en", "fr"]}, "minItems": 1}, {})
    'list of `"en"`, `"fr"`; at least 1'
    """
    if "$ref" in each:
        found = whole["$defs"][each["$ref"].rpartition("/")[2]]
        return "table" if found.get("type") == "object" else kind(found, whole)
    for several in ("anyOf", "oneOf"):
        if several in each:
            kinds = [kind(one, whole) for one in each[several] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    match "enum" if "enum" in each else each.get("type"):
        case "enum":
            return ", ".join(f"`{json.dumps(value)}`" for value in each["enum"])
        case "array":
            items = each.get("items") or each.get("prefixItems", [{}])[0]
            return f"list of {kind(items, whole).replace('table', 'tables')}{_length(each)}"
        case "object" | None as found:
            return "table" if found else "any"
    return f"{_FORMATS.get(each.get('format', ''), _TYPES[each['type']])}{_range(each)}"


def shown(default: Any) -> str:
    """Return a default as TOML writes it; nothing where a key is left out."""
    if default is None:
        return "none"
    if default in ([], {}):
        return "empty"
    if isinstance(default, dict) and (len(default) > 2 or None in default.values()):
        return "see below"
    if isinstance(default, list) and isinstance(default[0], dict):
        return ", ".join(f"`{each.get('name') or each.get('family')}`" for each in default)
    return f"`{_toml(default)}`"


def _toml(value: Any) -> str:
    """Return a value as TOML writes it within a line.

    Examples
    --------
    >>> _toml({"mean": -0.35667494393873245, "of": ["a", 2.0, True]})
    '{ mean = -0.3567, of = ["a", 2.0, true] }'
    """
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(each)}' for key, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float) and len(repr(value)) > 8:
        return f"{value:.4g}"
    return json.dumps(value, ensure_ascii=False)


def _range(each: Schema) -> str:
    low, high = each.get("minimum"), each.get("maximum")
    above, below = each.get("exclusiveMinimum"), each.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f", {low:g} to {high:g}"
    words = [(low, "at least"), (above, "above"), (high, "at most"), (below, "below")]
    found = [f"{word} {value:g}" for value, word in words if value is not None]
    if not found:
        return f", at most {each['maxLength']} characters" if "maxLength" in each else ""
    return (" " if found[0].startswith(("above", "below")) else ", ") + " and ".join(found)


def _length(each: Schema) -> str:
    least, most = each.get("minItems"), each.get("maxItems")
    if least and least == most:
        return f"; {least} of them"
    return f"; {least} to {most}" if least and most else f"; at least {least}" if least else ""


def _inner_summary(spec: type[BaseModel], name: str) -> str:
    """Return what the spec of a key says of itself, if there is just one."""
    within = list(specs_within(spec.model_fields[name].annotation)) if name in spec.model_fields else []
    return summary(within[0]) if len(within) == 1 else ""


def _tag(spec: type[BaseModel], name: str) -> str:
    """Return the key by which the kinds of a table are told apart, if it has kinds."""
    each = spec.model_json_schema()["properties"][name]
    return str((each.get("items", each).get("discriminator") or {}).get("propertyName", ""))


def _inner(path: str, name: str, each: Schema) -> str:
    """Return the TOML table of a key.

    Examples
    --------
    >>> _inner("[data]", "columns", {}), _inner("", "places", {"type": "array"}), _inner("", "x", {"type": "object"})
    ('[data.columns]', '[[places]]', '[x.NAME]')
    """
    whole = f"{path.partition(']')[0].strip('[]')}.{name}".strip(".")
    if each.get("type") == "object":
        whole = f"{whole}.NAME"
    return f"[[{whole}]]" if each.get("type") == "array" else f"[{whole}]"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
