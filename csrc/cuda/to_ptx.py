"""Compiles a CUDA source to PTX with NVRTC; needs neither a GPU nor a CUDA toolkit.

usage: to_ptx.py SOURCE PTX
       to_ptx.py --check         says whether NVRTC can be used
       to_ptx.py --published     says whether there is an NVRTC for this system at all

The same NVRTC gives the same bytes, whatever the folders are called. A warning is an error.
"""

import ctypes
import importlib.metadata
import platform
import sys
from pathlib import Path

PACKAGE = "nvidia-cuda-nvrtc-cu12"
VERSION = "12.2.140"  # its PTX is read by drivers from r535 on
SOURCES = Path(__file__).resolve().parents[1]
OPTIONS = (
    "--gpu-architecture=compute_75",
    "--std=c++20",
    "--device-as-default-execution-space",  # what the CPU shares bears no annotation
    "--include-path=" + str(SOURCES / "cuda" / "nvrtc"),
    "--include-path=" + str(SOURCES),
)


def reason_unpublished() -> str | None:
    """Why PyPI has no NVRTC of this version for this system; None where it has."""
    system, machine = platform.system(), platform.machine()
    if system != "Linux" or machine != "x86_64":
        return f"{PACKAGE}=={VERSION} is published for Linux on x86_64, not for {system} on {machine}"
    if platform.libc_ver()[0] != "glibc":  # no environment marker tells that, so no requirement can
        return f"{PACKAGE}=={VERSION} is published for glibc, and this Python runs on another C library"
    return None


def find_library() -> Path:
    """Path of the pinned NVRTC."""
    try:
        package = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise SystemExit(f"{PACKAGE}=={VERSION} is not installed") from None
    if package.version != VERSION:
        raise SystemExit(f"{PACKAGE}=={package.version} is installed, expected {PACKAGE}=={VERSION}")
    for file in package.files or ():
        if file.name == "libnvrtc.so.12":
            return Path(str(file.locate()))
    raise SystemExit(f"{PACKAGE} {VERSION} holds no libnvrtc.so.12")


def to_ptx(source: Path) -> bytes:
    """PTX of a CUDA source; ends the program with the compiler's log where it is not empty."""
    nvrtc = ctypes.CDLL(str(find_library()))
    program = ctypes.c_void_p()
    text = ctypes.c_char_p(source.read_bytes())
    name = ctypes.c_char_p(source.name.encode())
    _check(nvrtc, nvrtc.nvrtcCreateProgram(ctypes.byref(program), text, name, 0, None, None))
    options = [option.encode() for option in OPTIONS]
    code = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    log = _read(nvrtc, program, "ProgramLog").decode().strip()
    if code != 0 or log:
        raise SystemExit(f"NVRTC refuses {source}; a warning is an error:\n{log or _text(nvrtc, code)}")
    return _read(nvrtc, program, "PTX")


def _read(nvrtc: ctypes.CDLL, program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    _check(nvrtc, getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    _check(nvrtc, getattr(nvrtc, f"nvrtcGet{what}")(program, buffer))
    return buffer.value  # without the zero at the end


def _text(nvrtc: ctypes.CDLL, code: int) -> str:
    nvrtc.nvrtcGetErrorString.restype = ctypes.c_char_p
    return str(nvrtc.nvrtcGetErrorString(code).decode())


def _check(nvrtc: ctypes.CDLL, code: int) -> None:
    if code != 0:
        raise SystemExit(f"NVRTC failed: {_text(nvrtc, code)}")


def main(arguments: list[str]) -> None:
    """Run the program."""
    match arguments:
        case ["--check"]:
            find_library()
        case ["--published"]:
            raise SystemExit(reason_unpublished())
        case [source, ptx]:
            Path(ptx).write_bytes(to_ptx(Path(source)))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
