"""Where a ledger is: an SQLite file by default, a PostgreSQL database for a team; passwords are never shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from forecast.errors import InputError

VARIABLE = "FORECAST_LEDGER_URL"
"""Of the environment: a URL that goes before that of ``forecast.toml``, and may hold a password."""
FILE = "ledger.sqlite"
_SETTING = "forecast.toml [ledger] url"
_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_EXPECTED = "sqlite:///FILE or postgresql://USER@HOST/DATABASE"


@dataclass(frozen=True)
class Address:
    """A database that can be opened; as text it shows neither password nor options.

    Parameters
    ----------
    url : URL
        With the driver that is used.
    """

    url: URL

    def __str__(self) -> str:
        if self.file is not None:
            return str(self.file)
        host = f"{self.url.host or 'localhost'}{f':{self.url.port}' if self.url.port else ''}"
        return f"postgresql://{host}/{self.url.database or ''}"

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        return Path(str(self.url.database)) if self.url.get_backend_name() == "sqlite" else None


def ledger_address(setting: str | None, environment: Mapping[str, str], folder: Path) -> Address:
    """Return where the ledger of a workspace is.

    Parameters
    ----------
    setting : str, optional
        The URL of ``forecast.toml``.
    environment : mapping of str to str
        `VARIABLE` in it goes before the setting.
    folder : Path
        What a relative file is below, and where `FILE` is if nothing is set.

    Raises
    ------
    InputError
        If it is no URL of SQLite or PostgreSQL, or the setting holds a password or leads out of the folder: a workspace
        may come from somebody else.

    Examples
    --------
    >>> str(ledger_address(None, {}, Path("mali")))
    'mali/ledger.sqlite'
    >>> str(ledger_address(None, {VARIABLE: "postgresql://ada:secret@db.example/risk"}, Path("mali")))
    'postgresql://db.example/risk'
    """
    given = environment.get(VARIABLE, "")
    where, text = (f"environment variable {VARIABLE}", given) if given else (_SETTING, setting or f"sqlite:///{FILE}")
    try:
        url = make_url(text)
        driver = _DRIVERS[url.drivername.partition("+")[0]]
    except (ArgumentError, KeyError, ValueError):  # none of which may be shown: it can hold a password
        raise InputError("this is no URL of a database", where=where, expected=_EXPECTED) from None
    url = url.set(drivername=driver)
    if url.get_backend_name() == "postgresql":
        if not given and (url.password or url.query):
            raise InputError(
                "a password or options in forecast.toml, which others may read",
                where=_SETTING,
                expected="postgresql://USER@HOST/DATABASE",
                hint=f"the whole URL in the environment variable {VARIABLE}, or the password in a .pgpass file",
            )
        return Address(url)
    if not url.database or url.database == ":memory:" or url.query:
        raise InputError("this names no file", where=where, expected="sqlite:///FILE")
    path = folder / url.database
    if not given and not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{url.database!r} leads out of the workspace", where=_SETTING, expected="a file within it")
    return Address(url.set(database=str(path)))
