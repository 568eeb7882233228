"""Where the API of a source is: at its own server, or at the mirror or proxy that an environment variable names."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from forecast.errors import InputError

_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


def server_address(given: str | None, variable: str, default: str) -> str:
    """Return the address of a server: what is given, or what a variable of the environment says, or the default.

    Parameters
    ----------
    given : str or None
    variable : str
        Name of the environment variable.
    default : str

    Returns
    -------
    str
        Scheme, host and port, without a slash at the end.

    Raises
    ------
    InputError
        If a password would go there in the clear (http to another machine), or it is not the address of a server.

    Examples
    --------
    >>> server_address(None, "NO_SUCH_VARIABLE", "https://acleddata.com/")
    'https://acleddata.com'
    """
    address = given or os.environ.get(variable, "").strip() or default
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise _not_an_address("the server's address is not one", variable)
    if parts.scheme != "https" and host not in _THIS_MACHINE:
        raise _not_an_address("the server's address is not https", variable)
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise _not_an_address("the server's address has more than a host and a port", variable)
    return f"{parts.scheme}://{parts.netloc}"


def _not_an_address(what: str, variable: str) -> InputError:
    """Return the error; it does not show the address, which may hold a password."""
    return InputError(
        what, where=variable, expected="https://HOST or https://HOST:PORT; http only for localhost and 127.0.0.1"
    )
