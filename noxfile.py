"""Every check of the project, each in an environment of its own: ``nox -s tests``, ``nox -s lint``, ..."""

import shutil

import nox

nox.options.sessions = ["tests", "lint", "types"]
nox.options.default_venv_backend = "virtualenv"
PROJECT = nox.project.load_toml("pyproject.toml")
# a build without CUDA; the package itself leaves the range open
TORCH = "torch==2.13.0"
EXTRAS = "cpu,export,openvino,parquet,report,resample,serve,train,watch"


def install(session: nox.Session, group: str) -> None:
    """Install the project with everything optional, warnings of the compiler as errors."""
    session.install(TORCH)
    session.install(*nox.project.dependency_groups(PROJECT, group))
    session.install("-C", "cmake.define.OSSCL_WERROR=ON", f".[{EXTRAS}]")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests against the installed package, a process for each processor; -- -n 0 for one alone."""
    install(session, "test")
    session.run("pytest", "-n", "logical", "--dist", "worksteal", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, docstrings of public names, and that imports only go downward."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    folders = ["csrc", "tests/cpp", "tests/cuda"]
    sources = [f"{folder}/*.[ch]pp" for folder in folders] + ["csrc/cuda/*.cu", "csrc/cuda/*.hpp"]
    session.run("bash", "-c", f"clang-format --dry-run --Werror {' '.join(sources)}", external=True)
    session.run("python", "tests/check_docstrings.py")
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the package and of its tests, and the stub against the extension."""
    install(session, "test")
    session.install(*nox.project.dependency_groups(PROJECT, "types"))
    session.run("mypy", "-p", "osscl")
    # for this call alone: tests/tensorrt would stand for the package tensorrt
    session.run("mypy", "--explicit-package-bases", "tests", env={"MYPYPATH": "tests"})
    session.run("stubtest", "osscl._native", "--allowlist", "tests/stubtest_allowlist.txt")


@nox.session
def docs(session: nox.Session) -> None:
    """Build pages, API and command reference into build/docs; warnings and dead links are errors."""
    session.install(*nox.project.dependency_groups(PROJECT, "docs"))
    session.install(".")
    shutil.rmtree("build/docs", ignore_errors=True)  # no page of an earlier build hides a dead link
    options = ["--fail-on-warning", "--keep-going", "--fresh-env", "-c", "docs", "-b", "html"]
    session.run("python", "-m", "sphinx", *options, ".", "build/docs")


@nox.session
def sanitize(session: nox.Session) -> None:
    """Run the C++ core under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer."""
    session.install("cmake", "ninja")
    for sanitizers in ("address,undefined", "thread"):
        build = f"{session.create_tmp()}/{sanitizers}"
        session.run(
            "cmake",
            "-G",
            "Ninja",
            "-S",
            ".",
            "-B",
            build,
            "-DOSSCL_WERROR=ON",
            f"-DOSSCL_SANITIZE={sanitizers}",
        )
        session.run("cmake", "--build", build, "--target", "osscl_core_test")
        session.run(f"{build}/osscl_core_test", external=True)


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
    """Build source distribution and wheel, and run the wheel."""
    session.install("build")
    session.run("python", "-m", "build", "--outdir", "dist")
