"""Every check of the project, each in an environment of its own: ``nox -s tests``, ``nox -s lint``, ..."""

import shutil
from typing import Any

import nox

nox.options.sessions = ["tests", "lint", "types"]
nox.options.default_venv_backend = "virtualenv"
PROJECT = nox.project.load_toml("pyproject.toml")
# a build without CUDA; the package itself leaves the range open
TORCH = "torch==2.13.0"
TESTS_OF_NATIVE_CODE = ["audio", "cuda", "detector", "scoring", "test_features.py", "test_frontend.py"]
EXTRAS = "cpu,export,openvino,parquet,report,resample,serve,storage,train,watch"


def install(session: nox.Session, *groups: str) -> None:
    """Install the project with everything optional in one call, warnings of the compiler as errors."""
    wanted = [package for group in groups for package in nox.project.dependency_groups(PROJECT, group)]
    session.install("-C", "cmake.define.OSSCL_WERROR=ON", TORCH, *wanted, f".[{EXTRAS}]")


def install_group(session: nox.Session, group: str) -> None:
    """Install a dependency group, without the project."""
    session.install(*nox.project.dependency_groups(PROJECT, group))


def run_all(session: nox.Session, *commands: list[str], **options: Any) -> None:
    """Run each command, also after one that failed; the session fails where one did."""
    failed = [" ".join(command) for command in commands if not succeeds(session, command, **options)]
    if failed:
        session.error("; ".join(failed))


def succeeds(session: nox.Session, command: list[str], **options: Any) -> bool:
    """Run a command and say whether it came to a good end."""
    try:
        session.run(*command, **options)
    except nox.command.CommandFailed:
        return False
    return True


def style_checks() -> list[list[str]]:
    """Style, the image's recipe, docstrings of public names, and imports that only go downward."""
    folders = ["csrc", "examples/cpp", "tests/cpp", "tests/cuda"]
    sources = [f"{folder}/*.[ch]pp" for folder in folders] + ["csrc/cuda/*.cu", "csrc/cuda/*.hpp"]
    return [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["bash", "-c", f"clang-format --dry-run --Werror {' '.join(sources)}"],
        ["shellcheck", "examples/cron/score_new_recordings.sh"],
        ["hadolint", "--failure-threshold", "style", "Dockerfile"],
        ["python", "tests/check_docstrings.py"],
        ["lint-imports", "--no-cache"],
    ]


def type_checks() -> list[list[str]]:
    """Types of the package and of its tests, and the stub against the extension."""
    return [
        ["mypy", "-p", "osscl"],
        ["mypy", "examples/service"],
        ["env", "MYPYPATH=wheels", "mypy", "--explicit-package-bases", "wheels"],
        # for this call alone: tests/tensorrt would stand for the package tensorrt
        ["env", "MYPYPATH=tests", "mypy", "--explicit-package-bases", "tests"],
        ["stubtest", "osscl._native", "--allowlist", "tests/stubtest_allowlist.txt"],
    ]


def page_checks() -> list[list[str]]:
    """Pages, API and command reference, into build/docs; warnings and dead links are errors."""
    shutil.rmtree("build/docs", ignore_errors=True)  # no page of an earlier build hides a dead link
    options = ["--fail-on-warning", "--keep-going", "--fresh-env", "-c", "docs", "-b", "html"]
    return [["python", "-m", "sphinx", *options, ".", "build/docs"]]


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests against the installed package, a process for each processor; -- -n 0 for one alone."""
    install(session, "test")
    session.run("pytest", "-n", "logical", "--dist", "worksteal", *session.posargs)


@nox.session
def integrations(session: nox.Session) -> None:
    """Run the tests with what osscl stands beside; what is not to be had is skipped, with its reason."""
    install(session, "test", "integrations")
    if shutil.which("npm"):
        for example in ("node", "browser"):  # without scripts: they would load files for CUDA
            options = ["--no-audit", "--no-fund", "--ignore-scripts"]
            session.run("npm", "ci", "--prefix", f"examples/{example}", *options, external=True)
    session.run("pytest", "-n", "logical", "--dist", "worksteal", "tests/integrations", *session.posargs)


@nox.session
def triton(session: nox.Session) -> None:
    """Run the tests in the real Triton server, whose Python backend needs an older NumPy than others do."""
    install(session, "test", "triton")
    session.run("pytest", "tests/integrations/triton", *session.posargs)


@nox.session
def checks(session: nox.Session) -> None:
    """Check what lint, types and docs check, in one environment: one installation, not three."""
    install(session, "test", "lint", "types", "docs")
    run_all(session, *style_checks(), *type_checks(), *page_checks(), external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, docstrings of public names, and that imports only go downward."""
    install(session, "lint")
    run_all(session, *style_checks(), external=True)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the package and of its tests, and the stub against the extension."""
    install(session, "test", "types")
    run_all(session, *type_checks(), external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Build pages, API and command reference into build/docs; warnings and dead links are errors."""
    install_group(session, "docs")
    session.install(".")
    run_all(session, *page_checks())


@nox.session
def sanitize(session: nox.Session) -> None:
    """Run the C++ core under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer."""
    session.install("cmake", "ninja")
    failed = [each for each in ("address,undefined", "thread") if not core_passes(session, each)]
    if failed:
        session.error("; ".join(failed))


def core_passes(session: nox.Session, sanitizers: str) -> bool:
    """Build the C++ core with these sanitizers, and run its tests."""
    build = f"{session.create_tmp()}/{sanitizers}"
    asked = ["-DOSSCL_WERROR=ON", f"-DOSSCL_SANITIZE={sanitizers}"]
    commands = [
        ["cmake", "-G", "Ninja", "-S", ".", "-B", build, *asked],
        ["cmake", "--build", build, "--target", "osscl_core_test"],
        [f"{build}/osscl_core_test"],
    ]
    return all(succeeds(session, command, external=True) for command in commands)


@nox.session
@nox.parametrize("compiler", ["g++-11", "clang++-13"])
def compilers(session: nox.Session, compiler: str) -> None:
    """Run the C++ core, built by the oldest compilers that are known to do; needs them installed."""
    session.install("cmake", "ninja")
    build = f"{session.create_tmp()}/{compiler}"
    asked = ["-DOSSCL_WERROR=ON", f"-DCMAKE_CXX_COMPILER={compiler}"]
    session.run("cmake", "-G", "Ninja", "-S", ".", "-B", build, *asked)
    session.run("cmake", "--build", build, "--target", "osscl_core_test")
    session.run(f"{build}/osscl_core_test", external=True)


@nox.session
def aarch64(session: nox.Session) -> None:
    """Run the C++ core for Arm under qemu; needs g++-aarch64-linux-gnu and qemu-user."""
    session.install("cmake", "ninja")
    build = f"{session.create_tmp()}/aarch64"
    target = ["-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64"]
    compiler = "-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++"
    session.run("cmake", "-G", "Ninja", "-S", ".", "-B", build, "-DOSSCL_WERROR=ON", *target, compiler)
    session.run("cmake", "--build", build, "--target", "osscl_core_test")
    session.run("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", f"{build}/osscl_core_test", external=True)


@nox.session
def soak(session: nox.Session) -> None:
    """Watch a folder beside a broker that goes away; -- MINUTES, by default 120. Needs mosquitto."""
    session.install(f".[{EXTRAS}]")
    minutes = session.posargs or ["120"]
    session.run("python", "benchmarks/soak.py", "--minutes", *minutes)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build source distribution and wheel, twice the same, into dist; run the wheel without a compiler.

    The tests are those of native code, or -- tests/cli tests/live; -- tests is all of them, -- demo none.
    """
    install_group(session, "wheel")
    session.run("python", "wheels/building.py", "dist")
    tests = session.posargs or [f"tests/{each}" for each in TESTS_OF_NATIVE_CODE]
    needs = [f"--extras={EXTRAS}", f"--need={TORCH}"]
    session.run("python", "wheels/trying.py", "dist", *needs, "--", *tests)


@nox.session
def wheelhouse(session: nox.Session) -> None:
    """Collect all wheels for a machine without a network; -- EXTRA PYTHON PLATFORM, or -- --help."""
    install_group(session, "wheelhouse")
    session.run("python", "wheels/wheelhouse.py", *session.posargs)
