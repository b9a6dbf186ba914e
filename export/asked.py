"""What is asked of an export, looked at before any of its work begins."""

import os
from collections.abc import Mapping
from typing import get_args

from osscl.audio.reading import Fit
from osscl.backends.choice import require_runtime
from osscl.errors import ConfigError
from osscl.evaluation.gate_limits import GateLimits
from osscl.model_file.manifest import Precision
from osscl.support.paths import printable

PRECISIONS: tuple[Precision, ...] = get_args(Precision)


def check_asked(
    precision: Precision,
    limits: GateLimits | None,
    folders: Mapping[str, str | os.PathLike[str] | None],
    fit: Fit,
) -> None:
    """Refuse what no export can do, whatever is exported.

    Parameters
    ----------
    precision : {"fp32", "fp16", "bf16", "int8"}
        Arithmetic of the heavy layers.
    limits : GateLimits or None
        Those of the accuracy gate that were stated.
    folders : mapping of str to path-like or None
        Folders of recordings by their options.
    fit : Fit
        How their recordings are made to fit.

    Raises
    ------
    ConfigError
        There is no such precision, a folder is none, or an option lacks another or has nothing to do.
    MissingExtraError
        What computes the reduced precision is not installed, which the accuracy gate would miss minutes
        later.
    """
    check_precision(precision, limits)
    check_recordings(precision, folders, fit)
    if precision != "fp32":
        require_runtime(precision)


def check_precision(precision: Precision, limits: GateLimits | None) -> None:
    """Refuse a precision that is none, and limits without a gate.

    Parameters
    ----------
    precision : {"fp32", "fp16", "bf16", "int8"}
        Arithmetic of the heavy layers.
    limits : GateLimits or None
        Those that were stated.

    Raises
    ------
    ConfigError
        There is no such precision, or limits are stated for one without a gate.
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"precision is {precision}; it must be one of: {', '.join(PRECISIONS)}")
    if precision == "fp32" and limits is not None:
        raise ConfigError(
            "--min-rank-correlation and --max-auc-change are for reduced precision; the precision is fp32: "
            "drop them"
        )


def check_recordings(
    precision: Precision, folders: Mapping[str, str | os.PathLike[str] | None], fit: Fit
) -> None:
    """Refuse folders that are none, and options that have nothing to do.

    Parameters
    ----------
    precision : {"fp32", "fp16", "bf16", "int8"}
        Arithmetic of the heavy layers.
    folders : mapping of str to path-like or None
        Folders of recordings by their options.
    fit : Fit
        How their recordings are made to fit.

    Raises
    ------
    ConfigError
        A folder is none, or an option has nothing to do.
    """
    for option, folder in folders.items():
        if folder is not None and not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises where it is closed
            raise ConfigError(f"{option} is {printable(folder)}; it must be a folder of recordings")
    if fit.stated() and not any(folders.values()):
        raise ConfigError(
            f"--resample, --channel and --pad say how the recordings of {', '.join(folders)} are read, and "
            "none are named: drop them"
        )
    gate, calibration = folders["--gate"], folders["--calibration"]
    if precision == "fp32" and gate is not None:
        raise ConfigError("--gate is for reduced precision; the precision is fp32: drop it")
    if precision == "int8" and calibration is None:
        raise ConfigError(
            "int8 needs recordings to set its ranges by; name a folder of normal ones (--calibration CLIPS)"
        )
    if precision != "int8" and calibration is not None:
        raise ConfigError(f"--calibration is for int8; the precision is {precision}: drop it")
