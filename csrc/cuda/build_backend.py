"""The build backend: scikit-build-core, which asks for NVRTC besides, where there is one.

A requirement in pyproject.toml cannot say so: no environment marker tells glibc from musl, and a
package that is not published for a system would keep osscl from being built there.
"""

from typing import TypeAlias

from scikit_build_core import build
from scikit_build_core.build import *  # noqa: F403 - all hooks that it has, whatever its version
from to_ptx import PACKAGE, VERSION, reason_unpublished

Settings: TypeAlias = dict[str, list[str] | str] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What scikit-build-core needs for a wheel, and the compiler of the CUDA front end."""
    return [*build.get_requires_for_build_wheel(config_settings), *_nvrtc()]


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """The same for an editable installation."""
    return [*build.get_requires_for_build_editable(config_settings), *_nvrtc()]


def _nvrtc() -> list[str]:
    return [] if reason_unpublished() else [f"{PACKAGE}=={VERSION}"]
