"""Messages from templates: those of the package, and those of users, which can say what they like and do nothing."""

from __future__ import annotations

import dataclasses

import pytest

from forecast.delivery import wording
from forecast.delivery.digest import digest_of
from forecast.delivery.targets import EmailTarget, WebhookTarget, When
from forecast.delivery.wording import message_of
from forecast.errors import InputError
from forecast.language import speaking
from forecast.reporting.summarise import summary_of

EMAIL = {"to": "email", "name": "a", "sender": "a@example.org", "recipients": ["b@example.org"]}


def default(summary, root, target=None, when=None):
    target = target or EmailTarget(**EMAIL, link="https://risk.example.org/")
    return message_of(summary, digest_of(summary, when or When(), 10), target, root)


def own(summary, root, source):
    (root / "mail.txt").write_text(source, encoding="utf-8")
    return default(summary, root, EmailTarget(**EMAIL, template="mail.txt"))


def test_the_mail_of_the_package_tells_what_the_report_says(summary, tmp_path):
    message = default(summary, tmp_path, when=When(at_least=0.01))
    assert message.title == "A small test, from Saturday 1 August 2026" or message.title == (
        "A small test, from 1 August 2026"
    )
    for part in (
        "Preliminary data",
        "! One week is missing.",
        summary.lead,
        "Above the thresholds of this mail:",
        "- Bamako and 100 km around: ",
        "usual",
        "Attached: brief.pdf.",
        "The whole report: https://risk.example.org/",
        "Known until 31 July 2026. Nobody",
        "Region and town level only",
    ):
        assert part in message.text
    mopti = summary.units[0].risk("above_recent")
    assert f"- Mopti (Mali): {100 * mopti.probability:.0f}\N{NO-BREAK SPACE}%" in message.text
    assert "\n\n\n" not in message.text


def test_the_message_of_a_webhook_is_short(summary, tmp_path):
    message = default(summary, tmp_path, WebhookTarget(to="webhook", name="a"))
    assert summary.lead in message.text
    assert message.text.count("\n• ") == 4
    assert "whole report" not in message.text
    assert "\n\n" not in message.text


@pytest.mark.parametrize("target", [None, WebhookTarget(to="webhook", name="a", link="https://risk.example.org/")])
def test_messages_speak_the_language_of_the_report(content, french, tmp_path, target):
    with speaking("fr"):
        summary = summary_of(dataclasses.replace(content, warnings=()))
    message = default(summary, tmp_path, target, when=When(at_least=0.01) if target is None else None)
    assert message.title == "A small test, à partir du 1er août 2026"
    names = {"A small test", "Nobody", summary.data.attribution}
    assert not [
        line for line in message.text.splitlines() if french.ENGLISH.search(french.without(names, line).lower())
    ]
    assert not [
        line for line in message.text.splitlines() if french.MISSET.search(french.without({*names, "https:"}, line))
    ]
    assert "ordinaire" in message.text


def test_simulated_counts_are_said_first(summary, tmp_path):
    message = default(summary.model_copy(update={"simulated": True}), tmp_path)
    assert message.text.startswith("SIMULATED counts: nothing of this describes a real place.")


def test_a_template_of_the_user_takes_the_place(summary, tmp_path):
    source = (
        "{{ summary.title | upper }}: {{ told | length }}\n\n"
        "{% macro line(each) %}{{ each.title }} {{ each.probability | percent }} {{ each.change | points }} "
        "{{ span(each.low, each.high) }} {{ each.expected | expected }} {{ each.base_rate | usual }} "
        "{{ each.probability | in_words }}{% endmacro %}"
        "{% for each in told %}{{ line(each) }}\n{% endfor %}{{ summary.origin | day }} {{ 2 * 3 }}"
    )
    message = own(summary, tmp_path, source)
    assert message.title == "A SMALL TEST: 4"
    assert message.text.startswith("Bamako and 100 km around") or "Bamako and 100 km around" in message.text
    assert message.text.endswith("1 August 2026 6\n")


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ summary.__init__.__globals__ }}",
        "{{ told.append(1) }}",
        "{{ summary.update({}) }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% extends 'mail.txt' %}",
        "{{ self.__init__.__globals__ }}",
        "{{ span.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ lipsum(10000) }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ 'a'.ljust(1000000000) }}",
        "{{ 'a' | center(1000000000) }}",
        "{{ range(1000000000) | list }}",
        "{{ 1 // 0 }}",
        "{{ nobody }}",
        "{{ summary.nothing }}",
        "{% for %}",
        "{{ told[99].title }}",
        "{{ none | day }}",
    ],
)
def test_what_a_template_may_not_or_cannot_do_is_an_error_that_names_it(summary, tmp_path, source):
    with pytest.raises(InputError, match=r"mail\.txt") as caught:
        own(summary, tmp_path, f"Title\n\n{source}")
    assert "root:" not in str(caught.value)


def test_the_text_of_data_is_no_template(summary, tmp_path):
    planted = summary.model_copy(update={"title": "{{ 7 * 7 }}", "lead": "{% include 'x' %}\x1b[31m\u202e"})
    message = default(planted, tmp_path)
    assert message.title.startswith("{{ 7 * 7 }}")
    assert "{% include 'x' %}[31m" in message.text


def test_a_title_is_one_line(summary, tmp_path):
    planted = summary.model_copy(update={"title": "Report\r\nBcc: planted@example.org"})
    assert "\n" not in default(planted, tmp_path).title
    assert default(planted, tmp_path).title.startswith("Report")


def test_a_template_without_text_a_missing_a_binary_and_a_long_one_are_refused(summary, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="gives no text"):
        own(summary, tmp_path, "\n\n")
    with pytest.raises(InputError, match="no such template"):
        default(summary, tmp_path, EmailTarget(**EMAIL, template="other.txt"))
    (tmp_path / "mail.txt").write_bytes(b"\xff")
    with pytest.raises(InputError, match="not UTF-8"):
        default(summary, tmp_path, EmailTarget(**EMAIL, template="mail.txt"))
    with pytest.raises(InputError, match="more than"):
        own(summary, tmp_path, "a" * (wording.LONGEST_TEMPLATE + 1))
    with pytest.raises(InputError, match="more than 20000 characters"):
        own(summary, tmp_path, "a" * 20_001)


def test_a_link_out_of_the_workspace_is_not_read(summary, tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("secret", encoding="utf-8")
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "mail.txt").symlink_to(outside)
    with pytest.raises(InputError, match="leads out of the workspace"):
        default(summary, root, EmailTarget(**EMAIL, template="mail.txt"))
