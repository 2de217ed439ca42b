"""Creates the virtual environments under .venv/, pinned by hash; if nothing changed it ends fast and prints nothing.

The machine's own `python3` runs it before anything is installed. So it uses the standard library only, and old releases
of Python can parse it, so that it can say which release is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / ".venv"
SUPPORTED = ((3, 11), (3, 13))
DISK_NEEDED_GB = 4  # both environments with PyTorch's CPU build; its CUDA build takes 6 GB more
STAMP = ".requirements"


class SetupError(Exception):
    """The user must change something on this machine; the message says what."""


class Environment:
    """One virtual environment and its requirement files: with dependencies, without them, and for pip itself."""

    def __init__(
        self, name: str, *, hashed: str, no_deps: list[str], dev_no_deps: list[str], by_pip: list[str]
    ) -> None:
        self.folder = VENVS / name
        self._hashed, self._no_deps, self._dev_no_deps, self._by_pip = hashed, no_deps, dev_no_deps, by_pip

    def requirements(self, *, dev: bool) -> Requirements:
        """Return the requirement files; with `dev` those of the packages for tests, too."""
        if not dev:
            return Requirements(self._hashed, self._no_deps, self._by_pip)
        return Requirements(self._hashed.replace(".txt", "-dev.txt"), self._no_deps + self._dev_no_deps, self._by_pip)


@dataclass(frozen=True)
class Requirements:
    """The requirement files that are installed with dependencies, without them, and by pip itself."""

    hashed: str
    no_deps: list[str]
    by_pip: list[str]

    @property
    def stamp(self) -> str:
        """The hash of the files' contents."""
        return stamp([self.hashed, *self.no_deps, *self.by_pip])


ENVIRONMENTS = (
    Environment(
        "airflow", hashed="requirements.txt", no_deps=[], dev_no_deps=["requirements-sagemaker.txt"], by_pip=[]
    ),
    Environment(
        "local-aws",
        hashed="requirements-local-aws.txt",
        no_deps=["requirements-pretrained.txt"],
        dev_no_deps=[],
        by_pip=["requirements-torch.txt"],
    ),
)
# What `make client-test` runs against the local AWS; their dependencies exclude each other.
CLIENT_ENVIRONMENTS = tuple(
    Environment(
        f"clients-{name}", hashed=f"tests/clients/requirements/{name}.txt", no_deps=[], dev_no_deps=[], by_pip=[]
    )
    for name in ("aws-cli", "moto", "sagemaker-2", "sagemaker-3")
)
# What `make oldest-test` runs the tests of Dags and plugin with.
OLDEST_ENVIRONMENT = Environment(
    "airflow-oldest", hashed="requirements-airflow-oldest.txt", no_deps=[], dev_no_deps=[], by_pip=[]
)


def make_environments(environments: tuple[Environment, ...], *, dev: bool) -> None:
    """Make or update environments; with `dev` also the packages for tests."""
    check_machine()
    VENVS.mkdir(exist_ok=True)
    import fcntl  # Windows has no fcntl; check_machine has refused it

    with (VENVS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` at once must not install into the same environment
        for environment in environments:
            make_environment(environment, dev=dev)


def check_machine() -> None:
    """Check that the installation can succeed on this machine; raises SetupError otherwise."""
    if not SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
        raise SetupError(
            f"Python 3.11, 3.12 or 3.13 is needed; {sys.executable} is {platform.python_version()}. "
            "Name one: make PYTHON=/path/to/python3.12 ..."
        )
    if sys.platform not in ("linux", "darwin"):
        raise SetupError(f"Linux or macOS is needed; this is {sys.platform}. On Windows use WSL 2.")
    free_gb = shutil.disk_usage(str(ROOT)).free / 1e9
    if free_gb < DISK_NEEDED_GB and not (VENVS / "local-aws" / STAMP).exists():
        raise SetupError(
            f"{free_gb:.1f} GB are free in {ROOT} and the environments need {DISK_NEEDED_GB} GB: "
            "free some space, then run this again."
        )


def make_environment(environment: Environment, *, dev: bool) -> None:
    """Install the environment's packages, unless the same ones are installed."""
    folder, wanted = environment.folder, environment.requirements(dev=dev)
    done = folder / STAMP
    if done.is_file() and wanted.stamp in done.read_text().split():
        return
    print(f"Installing {folder.relative_to(ROOT)} from {wanted.hashed} ...", flush=True)
    uv = bootstrap_uv()
    if not same_python(folder):
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], "make the environment")
    done.unlink(missing_ok=True)  # an interrupted installation is repeated
    install = [uv, "pip", "install", "--quiet", "--python", str(folder), "--compile-bytecode", "--require-hashes"]
    run([*install, "-r", str(ROOT / wanted.hashed)], f"install {wanted.hashed}")
    for file in wanted.no_deps:
        run([*install, "--no-deps", "-r", str(ROOT / file)], f"install {file}")
    for file in wanted.by_pip:
        run([str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "-r", str(ROOT / file)], f"install {file}")
    # The tools for tests are added to what `make demo` needs.
    done.write_text(" ".join({environment.requirements(dev=False).stamp, wanted.stamp}))


def bootstrap_uv() -> str:
    """Install uv with pip into a separate environment; return its path."""
    folder = VENVS / "uv"
    uv = folder / "bin" / "uv"
    wanted = stamp(["requirements-uv.txt"])
    if uv.is_file() and (folder / STAMP).is_file() and (folder / STAMP).read_text() == wanted:
        return str(uv)
    run([sys.executable, "-m", "venv", "--clear", str(folder)], "make a virtual environment (Debian: python3-venv)")
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "-r", str(ROOT / "requirements-uv.txt")], "install uv")
    (folder / STAMP).write_text(wanted)
    return str(uv)


def same_python(folder: Path) -> bool:
    """Return whether the environment exists and was made by a Python of this release."""
    python = folder / "bin" / "python"
    if not python.exists():
        return False
    version = subprocess.run(
        [str(python), "-c", "import platform; print(platform.python_version())"], stdout=subprocess.PIPE, check=False
    )
    return version.stdout.decode().strip() == platform.python_version()


def run(command: list[str], purpose: str) -> None:
    """Run an installer; on failure raise SetupError with the purpose and the last lines of its output."""
    environ = dict(os.environ)
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # without .pyc files Airflow takes twice as long to import
    environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
    if "PIP_INDEX_URL" in environ:
        environ.setdefault("UV_DEFAULT_INDEX", environ["PIP_INDEX_URL"])
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0:
        return
    output = done.stdout.decode(errors="replace").strip().splitlines()
    full = any("No space left" in line or "os error 28" in line for line in output)
    remedy = "the disk is full: free some space" if full else "is the package index reachable (network, proxy)?"
    end = "\n  ".join(output[-6:])
    raise SetupError(f"Could not {purpose}: {remedy} Then run this again. The end of its output:\n  {end}")


def stamp(files: list[str]) -> str:
    """Return a digest of the requirement files and of this Python's release."""
    digest = hashlib.sha256(platform.python_version().encode())
    for file in files:
        digest.update((ROOT / file).read_bytes())
    return digest.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="with the tools that `make test` and `make lint` need")
    parser.add_argument("--clients", action="store_true", help="those of `make client-test` instead")
    parser.add_argument("--oldest", action="store_true", help="that of `make oldest-test` instead")
    options = parser.parse_args()
    try:
        if options.clients:
            make_environments(CLIENT_ENVIRONMENTS, dev=False)
        elif options.oldest:
            make_environments((OLDEST_ENVIRONMENT,), dev=False)
        else:
            make_environments(ENVIRONMENTS, dev=options.dev)
    except SetupError as error:
        sys.exit(f"Set-up stopped. {error}")
    except OSError as error:
        sys.exit(f"Set-up stopped. {error.filename or ROOT}: {error.strerror}")


if __name__ == "__main__":
    main()
