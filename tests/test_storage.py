"""Whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from forecast.errors import InputError
from forecast.storage import HIDDEN, check_writable, folder_in_progress, remove_leftovers, write_file


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "runs" / "a"
    with folder_in_progress(target) as work:
        (work / "x.txt").write_text("1")
        assert not target.exists()
    assert (target / "x.txt").read_text() == "1"
    assert [path.name for path in target.parent.iterdir()] == ["a"]


def test_an_older_folder_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "a"
    for name in ("old", "new"):
        with folder_in_progress(target) as work:
            (work / name).write_text(name)
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def write_half_and_fail(work: Path) -> None:
    (work / "x").write_text("half")
    raise RuntimeError("killed")


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a"
    with folder_in_progress(target) as work:
        (work / "x").write_text("old")
    with pytest.raises(RuntimeError, match="killed"), folder_in_progress(target) as work:
        write_half_and_fail(work)
    assert (target / "x").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_leftovers_of_the_killed_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / f"{HIDDEN}a-xyz").mkdir()
    (tmp_path / f"{HIDDEN}b-xyz").mkdir()
    remove_leftovers(tmp_path, "a")
    assert [path.name for path in tmp_path.iterdir()] == [f"{HIDDEN}b-xyz"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.bin"
    write_file(path, b"1")
    write_file(path, b"2")
    assert path.read_bytes() == b"2"
    assert [item.name for item in path.parent.iterdir()] == ["x.bin"]


def test_no_space_left_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="no space left"):
        write_file(tmp_path / "x", b"1")
    with pytest.raises(InputError, match="no space left"), folder_in_progress(tmp_path / "a") as work:
        (work / "x").write_text("1")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="file, not a folder"), folder_in_progress(tmp_path / "out" / "a"):
        pass


def test_what_can_be_written_is_asked_without_a_trace(tmp_path: Path) -> None:
    check_writable(tmp_path)
    check_writable(tmp_path / "out" / "runs" / "weekly")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(InputError, match=r"a part of the path is a file(.|\n)*where: (.|\n)*expected: (.|\n)*try: "):
        check_writable(tmp_path / "out" / "runs")


@pytest.mark.parametrize(("number", "text"), [(errno.EACCES, "not allowed to write"), (errno.EROFS, "is read-only")])
def test_a_folder_that_refuses_is_found_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, text: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(InputError, match=rf"{text}(.|\n)*where: (.|\n)*expected: (.|\n)*try: ") as caught:
        check_writable(tmp_path / "out")
    assert str(tmp_path / "out") in str(caught.value)
