"""The text of a message, from a template that may be the user's own: it can say what it likes and do nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import StrictUndefined, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from forecast.confined import path_below
from forecast.delivery.digest import Digest
from forecast.delivery.targets import EmailTarget, WebhookTarget
from forecast.errors import InputError
from forecast.language import Language, speaking
from forecast.plain_text import one_line, still
from forecast.reporting import words
from forecast.reporting.scale import plain_word
from forecast.reporting.summary import Summary

LONGEST_TEMPLATE = 2**16
"""Bytes."""
LONGEST_TEXT = 20_000
"""Characters of a message: beyond that Teams refuses it, and nobody reads it."""
_MOST_PIECES = 100_000
DEFAULTS = {"email": "mail", "webhook": "webhook"}
"""The templates that come with the package, in each language."""


@dataclass(frozen=True)
class Message:
    """A message: the first line of the template's text is its title, the rest below an empty line its text."""

    title: str
    text: str


def message_of(summary: Summary, digest: Digest, target: EmailTarget | WebhookTarget, root: Path) -> Message:
    """Return the message for a target.

    Parameters
    ----------
    summary : Summary
    digest : Digest
    target : EmailTarget or WebhookTarget
    root : Path
        Of the workspace, below which its template lies.

    Raises
    ------
    InputError
        If the template is missing, leads out of the workspace, is wrong, does what it may not, or says nothing.
    """
    where = target.template or f"the template {DEFAULTS[target.to]} of the package"
    source = _default(target.to, summary.language) if target.template is None else _own(root, target)
    with speaking(summary.language):
        text = still(_rendered(source, shown(summary, digest, target), where))
    title, _, rest = text.strip("\n").partition("\n")
    if not title.strip():
        raise InputError("the template gives no text", where=where, expected="a title in the first line")
    return Message(one_line(title), f"{rest.strip()}\n")


def shown(summary: Summary, digest: Digest, target: EmailTarget | WebhookTarget) -> dict[str, Any]:
    """Return what templates speak of: plain values, nothing with methods that do anything."""
    return {
        "summary": summary.model_dump(exclude={"units"}),
        "rule": digest.rule.model_dump(),
        "told": [
            {
                **each.unit.model_dump(include={"name", "title", "kind", "country"}),
                **each.risk.model_dump(),
                "change": each.risk.change,
            }
            for each in digest.told
        ],
        "more": digest.more,
        "chosen": digest.chosen,
        "notes": [*summary.notices, *summary.warnings, *summary.notes],
        "link": target.link,
        "attached": list(target.attach) if isinstance(target, EmailTarget) else [],
    }


def _rendered(source: str, content: dict[str, Any], where: str) -> str:
    try:
        pieces = islice(_environment().from_string(source).generate(content), _MOST_PIECES)
        text, length = [], 0
        for piece in pieces:
            text.append(piece)
            length += len(piece)
            if length > LONGEST_TEXT:
                raise InputError(
                    f"the text has more than {LONGEST_TEXT} characters", where=where, hint="a smaller `most`"
                )
        return "".join(text)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise InputError(f"the template is wrong: {error}", where=f"{where} line {line}" if line else where) from None
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the template is wrong: {type(error).__name__}: {error}", where=where) from None


def _own(root: Path, target: EmailTarget | WebhookTarget) -> str:
    path = path_below(root, target.template or "", where=f"[[delivery]] {target.name}: template")
    try:
        content = path.read_bytes()
    except OSError:
        raise InputError("no such template", where=str(path)) from None
    if len(content) > LONGEST_TEMPLATE:
        raise InputError(f"the template has more than {LONGEST_TEMPLATE} bytes", where=str(path))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("the template is not UTF-8 text", where=f"{path} byte {error.start}") from None


@cache
def _default(kind: str, language: Language) -> str:
    name = f"{DEFAULTS[kind]}.{language}.txt"
    return (files("forecast.delivery") / "templates" / name).read_text(encoding="utf-8")


class _Sandbox(ImmutableSandboxedEnvironment):
    """Templates call nothing but their own macros and `span`, and make no long text out of a short one."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def is_safe_callable(self, obj: Any) -> bool:
        return obj is words.span or isinstance(obj, Macro)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not all(isinstance(value, (int, float)) for value in (left, right)):
            raise SecurityError(f"{operator} is for two numbers in a template, and ** for none")
        return super().call_binop(context, operator, left, right)


@cache
def _environment() -> _Sandbox:
    # No loader: a template can't include or import another file. Plain text, so that nothing is escaped for HTML.
    environment = _Sandbox(autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    for padding in ("center", "format", "indent", "wordwrap"):
        del environment.filters[padding]
    environment.filters |= {
        "percent": lambda share: words.percent(_number(share)),
        "usual": lambda share: words.UNKNOWN if share is None else words.frequency(share),
        "points": lambda change: words.points(_number(change)),
        "expected": lambda mean: words.expected(_number(mean)),
        "in_words": lambda share: plain_word(_number(share)),
        "day": lambda date: words.day(pd.Timestamp(date)),
    }
    environment.globals = {"span": words.span}
    return environment


def _number(value: float | None) -> float:
    return math.nan if value is None else value
