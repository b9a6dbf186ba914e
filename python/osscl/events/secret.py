"""Secrets from the environment or from files: never from arguments, which all users of a machine can see."""

import os
from pathlib import Path

from osscl.errors import ConfigError
from osscl.support.paths import printable
from osscl.support.regular_file import read_regular

_LONGEST = 65_536


def secret(variable: str) -> str | None:
    """Read a secret.

    Parameters
    ----------
    variable : str
        Environment variable that holds it; the same with ``_FILE`` behind it names a file that does, such as
        systemd makes for ``LoadCredential=``.

    Returns
    -------
    str or None
        The secret, without the line end of its file; None where neither is set.

    Raises
    ------
    ConfigError
        Both are set, the file cannot be read, or the secret is empty or no single line of text.
    """
    value, file = os.environ.get(variable), os.environ.get(f"{variable}_FILE")
    if value is not None and file is not None:
        raise ConfigError(f"{variable} and {variable}_FILE are both set; expected one of them")
    if file is not None:
        variable, value = f"{variable}_FILE", _content(f"{variable}_FILE", Path(file))
    if value is None:
        return None
    if not value or not value.isprintable() or len(value) > _LONGEST:
        raise ConfigError(f"{variable} holds no secret; expected one line of printable characters")
    return value


def _content(variable: str, file: Path) -> str:
    try:
        return read_regular(file).decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        reason = error.strerror or error
    except UnicodeDecodeError:
        reason = "it is not in UTF-8"
    raise ConfigError(f"{variable}: {printable(file)} cannot be read: {reason}")
