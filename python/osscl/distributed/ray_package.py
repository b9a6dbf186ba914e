"""Ray, loaded when it is asked for and not before: what it reads of its surroundings it reads then."""

import logging
import os
import secrets
import sys
from typing import Any

from osscl.support.failed_import import needing

_REPORTS = "RAY_USAGE_STATS_ENABLED"
_GUARD_MODE = "RAY_AUTH_MODE"
_GUARD = "RAY_AUTH_TOKEN"
_HIDES_GPUS = "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"


def import_ray(*, is_own: bool) -> Any:
    """Load Ray and Ray Data.

    Parameters
    ----------
    is_own : bool
        Whether processes of Ray will be started here, for this program alone. They listen to the network, so
        they get a password that nobody else knows, unless the program has loaded Ray before. A cluster has
        its own rules.

    Returns
    -------
    module
        The package `ray`, its part `data` loaded.

    Raises
    ------
    MissingExtraError
        It is not installed, or cannot be loaded.
    """
    os.environ[_REPORTS] = "0"  # to Ray's makers, whatever the user's files say
    if _HIDES_GPUS not in os.environ:
        os.environ[_HIDES_GPUS] = "0"  # what Ray will do by default: said, it does not warn of it
    if is_own and _GUARD_MODE not in os.environ and "ray" not in sys.modules:  # it reads them once
        os.environ[_GUARD_MODE] = "token"
        os.environ[_GUARD] = secrets.token_hex(32)
    with needing("--runner ray", "ray"):
        import ray
        import ray.data
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray
