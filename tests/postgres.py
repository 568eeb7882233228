"""A PostgreSQL server of one's own, on loopback, that tests can kill and start again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

USERS = ("postgres", "nobody")
"""As which the server runs where the tests run as root, which it refuses."""


def binaries() -> Path | None:
    """Return the folder of initdb and postgres: on the path, or where Debian puts them."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found and shutil.which("postgres") else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


class PostgresServer:
    """A server with its data in a temporary folder."""

    def __init__(self, folder_of_binaries: Path) -> None:
        self.bin = folder_of_binaries
        self.folder = Path(tempfile.mkdtemp(prefix="forecast-postgres-"))  # pytest's own is closed to other users
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def _as_user(self) -> dict[str, object]:
        import pwd

        if os.geteuid() != 0:
            return {}
        for name in USERS:
            try:
                user = pwd.getpwnam(name)
            except KeyError:
                continue
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        raise LookupError(f"none of the users {USERS}")

    def create(self) -> None:
        """Make the data."""
        who = self._as_user
        if who:
            os.chown(self.folder, int(str(who["user"])), int(str(who["group"])))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        made = subprocess.run(
            [self.bin / "initdb", "-D", self.folder / "data", "-U", "forecast", "-A", "trust", "-E", "UTF8", "-N"],
            env={**os.environ, "LC_ALL": "C"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            **who,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        # What the operating system has is enough: it is the server that is killed here, not the machine.
        settings = f"fsync = off\nlisten_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n"
        with (self.folder / "data" / "postgresql.conf").open("a") as stream:
            stream.write(settings)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", self.folder / "data"],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
            **self._as_user,
        )
        limit = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.dsn("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert time.monotonic() < limit, "the server does not start"
                assert self.process.poll() is None, "the server ended"
                time.sleep(0.05)
            else:
                return

    def stop(self, number: int = signal.SIGQUIT) -> None:
        """End it at once, whatever it was doing; SIGQUIT is its own word for that."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(timeout=60)
            self.process = None

    def remove(self) -> None:
        """End it and remove its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def dsn(self, database: str) -> str:
        """Return where a database is, as psycopg wants it."""
        return f"host=127.0.0.1 port={self.port} user=forecast dbname={database}"

    def database(self, name: str, template: str = "template1") -> str:
        """Make a database, empty or like another one, in place of one of that name; return its URL."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            # Fixtures of a session are made again where the order of the tests comes back to them.
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return f"postgresql://forecast@127.0.0.1:{self.port}/{name}"
