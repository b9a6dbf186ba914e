"""Who may ask: whoever has the token; without one, programs of this machine alone."""

import hmac
import ipaddress
import os
import stat
from pathlib import Path

from osscl.errors import ConfigError, InputError
from osscl.serving.problems import RequestError
from osscl.support.links import unreadable
from osscl.support.paths import printable
from osscl.support.regular_file import read_regular

TOKEN_VARIABLE = "OSSCL_SERVE_TOKEN"  # noqa: S105 - the name of a variable
OPEN_PATHS = frozenset({"/", "/page.css", "/page.js", "/health", "/ready", "/openapi.json"})
"""What tells nothing of recordings, and is answered without a token."""

_FEWEST_CHARACTERS, _MOST_CHARACTERS = 16, 512


class Access:
    """Lets requests in, or says why not.

    Parameters
    ----------
    token : str or None
        What requests must carry.
    host : str
        Address that is listened at.
    """

    def __init__(self, token: str | None, host: str) -> None:
        self._token = None if token is None else token.encode()
        self._own_names = {host.lower(), "localhost", "127.0.0.1", "::1"}

    def check(self, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        """Refuse a request that may not ask.

        Parameters
        ----------
        path : str
            What it asks for.
        headers : list of (bytes, bytes)
            Its headers, names in lower case.

        Raises
        ------
        RequestError
            It carries no token, or a wrong one (401); without a token: it came by a name that is not this
            machine's (400), as when a page of the web has a browser ask here.
        """
        given = {name: value for name, value in headers if name in (b"authorization", b"host")}
        if self._token is None:
            self._check_host(given.get(b"host", b""))
        elif path not in OPEN_PATHS and not self._is_known(given.get(b"authorization")):
            what = "carries no token" if b"authorization" not in given else "carries another token"
            raise RequestError(
                401,
                "unauthorized",
                f"the request {what} than the server's; send the header Authorization: Bearer TOKEN"
                if "another" in what
                else f"the request {what}; send the header Authorization: Bearer TOKEN",
                {"www-authenticate": "Bearer"},
            )

    def _is_known(self, authorization: bytes | None) -> bool:
        scheme, _, token = (authorization or b"").partition(b" ")
        assert self._token is not None
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)

    def _check_host(self, host: bytes) -> None:
        name = _host_of(host.decode("latin-1")).lower()
        if name not in self._own_names:
            raise RequestError(
                400,
                "wrong_host",
                f"the request {f'came for the host {name}' if name else 'names no host'}, and a server "
                "without a token answers for localhost alone; ask by that name, or start the server with a "
                "token",
            )


def find_token(file: Path | None) -> str | None:
    """Read the token that requests must carry.

    Parameters
    ----------
    file : Path or None
        File that holds it; by default the variable OSSCL_SERVE_TOKEN does, if it is set.

    Returns
    -------
    str or None
        None where there is neither.

    Raises
    ------
    InputError
        The file cannot be read.
    ConfigError
        The token is too short, too long, or cannot stand in a header.
    """
    if file is None:
        token, place = os.environ.get(TOKEN_VARIABLE), f"the variable {TOKEN_VARIABLE}"
        if token is None:
            return None
    else:
        place = printable(file)
        try:
            token = read_regular(file).decode("latin-1")
        except OSError as error:
            raise InputError(unreadable(file, "token", error)) from error
    token = token.strip()
    if not _FEWEST_CHARACTERS <= len(token) <= _MOST_CHARACTERS:
        raise ConfigError(
            f"{place} holds a token of {len(token)} characters; expected {_FEWEST_CHARACTERS} to "
            f"{_MOST_CHARACTERS}: make one by (umask 077; openssl rand -hex 32 > token)"
        )
    if not all("!" <= character <= "~" for character in token):
        raise ConfigError(
            f"{place} holds a token with blanks or characters that are not ASCII, which no header can carry; "
            "make one by (umask 077; openssl rand -hex 32 > token)"
        )
    return token


def is_open_to_all(file: Path) -> bool:
    """Whether every user of the machine can read a file; one that is gone, nobody can."""
    try:
        return bool(file.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def check_reachable(host: str, token: str | None) -> None:
    """Refuse to be reachable from other machines for whoever likes.

    Parameters
    ----------
    host : str
        Address to listen at.
    token : str or None
        What requests must carry.

    Raises
    ------
    ConfigError
        The address is not this machine's own, and there is no token.
    """
    if token is None and not is_loopback(host):
        raise ConfigError(
            f"--host {host} can be reached from other machines, which needs a token: give "
            "--token-file FILE, or "
            f"set {TOKEN_VARIABLE}"
        )


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone; no name but localhost is taken for one."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_of(header: str) -> str:
    """The name in a header ``host``, without the port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0] if header.count(":") == 1 else header
