"""Packs the inference function: the same sources and wheels give the same zip, byte for byte.

The zip holds lambda/image_classifier_inference, the folder image_classifier/contracts that it shares with Airflow,
and what lambda/requirements.txt pins, built for the function's runtime and not for this machine.
"""

import base64
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from image_classifier.aws.settings import Settings
from image_classifier.contracts.errors import FunctionError
from image_classifier.shipped import shipped

INCLUDE_FOLDER = Path(__file__).parents[2]
LAMBDA_FOLDER = shipped("lambda")
HANDLER = "image_classifier_inference.handler.lambda_handler"
PACKAGE = "image_classifier_inference"
CONTRACTS = "image_classifier/contracts"  # what the function shares with Airflow, packed without its subfolders
MAX_ZIP_BYTES = 50 * 1024 * 1024  # Lambda's limit
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}  # Lambda's word: the wheels' word
# 2_28: glibc of Amazon Linux 2023 is 2.34. Without it Pillow has no wheel at all.
PLATFORMS = ("manylinux_2_28", "manylinux2014")
DOWNLOAD_LIMIT_S = 300
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can tell
READABLE = 0o100644 << 16  # Lambda runs the code as another user than the zip's
UNIX = 3
METADATA = re.compile(r"[^/]+\.dist-info/(?!licenses/)|.*\.pyi$|(.*/)?py\.typed$")


@dataclass(frozen=True)
class FunctionPackage:
    """A zip ready for Lambda. ``code_sha256`` is Lambda's spelling of the hash, Base64; ``sha256`` is hexadecimal."""

    zip_bytes: bytes
    sha256: str
    code_sha256: str

    @classmethod
    def of(cls, zip_bytes: bytes) -> "FunctionPackage":
        digest = hashlib.sha256(zip_bytes)
        return cls(zip_bytes, digest.hexdigest(), base64.b64encode(digest.digest()).decode())


def package_function(
    *, lambda_folder: Path, include_folder: Path, runtime: str, architecture: str, cache_folder: Path
) -> FunctionPackage:
    """Pack the function for ``runtime`` (``python3.12``) on ``architecture`` (``x86_64`` or ``arm64``).

    Wheels come from ``cache_folder`` if they are there, and through pip otherwise; either way their hashes are those
    of lambda/requirements.txt.

    Raises:
        FunctionError: a file is missing, a wheel cannot be had, or the zip is larger than Lambda takes.

    """
    files = _sources(lambda_folder, include_folder)
    requirements = lambda_folder / "requirements.txt"
    for wheel in _wheels(requirements, runtime=runtime, architecture=architecture, cache_folder=cache_folder):
        files |= _contents(wheel)
    package = FunctionPackage.of(_zip(files))
    if len(package.zip_bytes) > MAX_ZIP_BYTES:
        message = (
            f"The function's zip has {len(package.zip_bytes):,} bytes; Lambda takes at most {MAX_ZIP_BYTES:,}. "
            f"Pin less in {requirements}."
        )
        raise FunctionError(message)
    return package


def package_of(settings: Settings) -> FunctionPackage:
    """The function of this checkout, packed for the deployment's runtime and architecture.

    Raises:
        FunctionError: the wheels cannot be fetched, or the zip is too large.

    """
    return package_function(
        lambda_folder=LAMBDA_FOLDER,
        include_folder=INCLUDE_FOLDER,
        runtime=settings.function_runtime,
        architecture=settings.function_architecture,
        cache_folder=default_cache_folder(),
    )


def default_cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where wheels are kept between deployments, as the XDG base directories say."""
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "image-classifier"


def _sources(lambda_folder: Path, include_folder: Path) -> dict[str, bytes]:
    """The function's own modules, and those it shares, by their names in the zip."""
    required = [
        lambda_folder / PACKAGE / "handler.py",
        include_folder / "image_classifier/__init__.py",
        include_folder / CONTRACTS / "__init__.py",
    ]
    if missing := [str(path) for path in required if not path.is_file()]:
        message = f"The function cannot be packed without {', '.join(missing)}: name the folders of this package."
        raise FunctionError(message)
    own = {path.relative_to(lambda_folder).as_posix(): path for path in (lambda_folder / PACKAGE).rglob("*.py")}
    shared = [required[1], *(include_folder / CONTRACTS).glob("*.py")]
    files = own | {path.relative_to(include_folder).as_posix(): path for path in shared}
    return {name: path.read_bytes() for name, path in files.items()}


def _contents(wheel: Path) -> dict[str, bytes]:
    """What a wheel installs, and its licences."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and not METADATA.match(name)]
        return {name: archive.read(name) for name in names}


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Names sorted, dates and permissions fixed: nothing of the machine or the moment gets in."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=ZIP_EPOCH)
            entry.external_attr = READABLE
            entry.create_system = UNIX
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def _wheels(requirements: Path, *, runtime: str, architecture: str, cache_folder: Path) -> list[Path]:
    """The wheels that requirements.txt pins, for the function's machine; downloaded once."""
    if architecture not in ARCHITECTURES or not re.fullmatch(r"python3\.\d+", runtime):
        message = f"Functions run on python3.x and {' or '.join(ARCHITECTURES)}, found {runtime} and {architecture}"
        raise FunctionError(message)
    try:
        pins = requirements.read_text()
    except OSError as error:
        raise FunctionError(f"The function's requirements cannot be read: {error}") from error
    pinned = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", pins))
    name = hashlib.sha256(f"{pins}\n{runtime}\n{architecture}".encode()).hexdigest()[:16]
    folder = cache_folder / f"{runtime}-{architecture}-{name}"
    if not _is_complete(folder, pinned):
        _download(requirements, runtime=runtime, architecture=architecture, folder=folder)
    if not _is_complete(folder, pinned):
        raise FunctionError(f"The wheels in {folder} are not those of {requirements}; delete that folder and try again")
    return sorted(folder.glob("*.whl"))


def _is_complete(folder: Path, pinned: set[str]) -> bool:
    """A folder appears whole or not at all; what is in it must still be what was pinned."""
    wheels = list(folder.glob("*.whl"))
    return bool(wheels) and all(hashlib.sha256(wheel.read_bytes()).hexdigest() in pinned for wheel in wheels)


def _download(requirements: Path, *, runtime: str, architecture: str, folder: Path) -> None:
    """Fetch into a folder beside the final one, then rename: a run that is cut off leaves nothing half done."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".download-") as temporary:
        incoming = Path(temporary) / "wheels"
        _run_pip(requirements, runtime=runtime, architecture=architecture, folder=incoming)
        shutil.rmtree(folder, ignore_errors=True)  # there only if it was damaged
        try:
            incoming.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another process was quicker, with the same wheels
                raise


def _run_pip(requirements: Path, *, runtime: str, architecture: str, folder: Path) -> None:
    """Ask pip, with whatever index this machine's pip is configured for."""
    platforms = [f"--platform={platform}_{ARCHITECTURES[architecture]}" for platform in PLATFORMS]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--implementation=cp", *platforms]
    command += [
        f"--python-version={runtime.removeprefix('python')}",
        f"--dest={folder}",
        f"--requirement={requirements}",
    ]
    wanted = f"the wheels of {requirements} for {runtime} on {architecture}"
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise FunctionError(f"pip did not fetch {wanted} within {DOWNLOAD_LIMIT_S} s; try again") from error
    if result.returncode != 0:
        raise FunctionError(
            f"pip cannot fetch {wanted}. {_advice(result.stderr)} pip said: {result.stderr.strip()[-600:]}"
        )


def _advice(complaint: str) -> str:
    """What to do about pip's refusal."""
    if "No module named pip" in complaint:
        return "Install pip beside Airflow: requirements.txt lists it."
    if "do not match the hashes" in complaint.lower():
        return "The index offers other files than the ones that were pinned: do not use them."
    # Offline, pip finds no distribution either: it warns of retries before.
    if "No matching distribution" in complaint and "Retrying" not in complaint:
        return (
            "The index has no wheel for this runtime and architecture: change IMAGE_CLASSIFIER_FUNCTION_RUNTIME or "
            "IMAGE_CLASSIFIER_FUNCTION_ARCHITECTURE, or the pin."
        )
    return (
        "Give this machine a way to the package index that its pip is configured for, or fill the cache folder on one "
        "that has it and copy it."
    )
