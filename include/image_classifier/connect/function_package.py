"""Packs the inference function; the same sources and wheels give the same zip, byte for byte.

The zip holds lambda/image_classifier_inference, the folder image_classifier/contracts that it shares with Airflow,
and what the two need of the wheels of lambda/requirements.txt for the function's runtime, which may differ from this
machine's. If the runtime is this Python's, the zip also holds the bytecode, which differs between releases of Python.
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
from image_classifier.connect.function_bytecode import bytecode
from image_classifier.contracts.errors import FunctionError
from image_classifier.shipped import shipped

INCLUDE_FOLDER = Path(__file__).parents[2]
LAMBDA_FOLDER = shipped("lambda")
HANDLER = "image_classifier_inference.handler.lambda_handler"
PACKAGE = "image_classifier_inference"
CONTRACTS = (
    "image_classifier/contracts"  # the folder that the function shares with Airflow, packed without its subfolders
)
MAX_ZIP_BYTES = 50 * 1024 * 1024  # Lambda's limit
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}  # Lambda's architecture name: that of the wheels
# Amazon Linux 2023 has glibc 2.34, which runs wheels for 2.28; Pillow has no wheel for an older glibc
PLATFORMS = ("manylinux_2_28", "manylinux2014")
DOWNLOAD_LIMIT_S = 300
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date in a zip
READABLE = 0o100644 << 16  # readable by all, because Lambda runs the code as another user
UNIX = 3
METADATA = re.compile(r"[^/]+\.dist-info/(?!licenses/)|.*\.pyi$|(.*/)?py\.typed$")
# What reads JPEG, PNG, GIF, BMP, WebP, TIFF and AVIF, and writes JPEG.
PILLOW_MODULES = re.compile(
    r"PIL/(__init__|_binary|_deprecate|_typing|_util|_version|features|JpegPresets|ExifTags|TiffTags|"
    r"Image(Chops|Color|File|Mode|Ops|Palette|Sequence)?|PaletteFile|Gimp(Gradient|Palette)File|"
    r"(Avif|Bmp|Gif|Jpeg|Mpo|Png|Tiff|WebP)ImagePlugin)\.py"
)
# Fonts, colour profiles, arithmetic, morphology and Tk, and the libraries that only these are linked to.
UNUSED_BINARIES = re.compile(
    r"PIL/_imaging(ft|cms|math|morph|tk)\..*|pillow\.libs/lib(freetype|harfbuzz|brotli(common|dec)|png16|lcms2)-.*"
)


@dataclass(frozen=True)
class FunctionPackage:
    """A zip for Lambda; ``code_sha256`` is its hash in Base64, as Lambda gives it, ``sha256`` in hexadecimal."""

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

    Wheels come from ``cache_folder``, or through pip if they are not there. In both cases their hashes must be those of
    lambda/requirements.txt.

    Raises:
        FunctionError: a file is missing, a wheel cannot be downloaded, or the zip is larger than Lambda allows.

    """
    files = _sources(lambda_folder, include_folder)
    wheels = _Wheels(lambda_folder / "requirements.txt", runtime, architecture)
    for wheel in wheels.files(cache_folder):
        files |= _contents(wheel)
    package = FunctionPackage.of(_zip(files | bytecode(files, runtime=runtime)))
    if len(package.zip_bytes) > MAX_ZIP_BYTES:
        message = (
            f"The function's zip has {len(package.zip_bytes):,} bytes; Lambda takes at most {MAX_ZIP_BYTES:,}. "
            f"Pin less in {wheels.requirements}."
        )
        raise FunctionError(message)
    return package


def package_of(settings: Settings) -> FunctionPackage:
    """Pack the function of this checkout for the deployment's runtime and architecture.

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
    """Return the folder that keeps wheels between deployments, by the XDG Base Directory Specification."""
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "image-classifier"


def _sources(lambda_folder: Path, include_folder: Path) -> dict[str, bytes]:
    """Return the contents of the function's own and shared modules, by their names in the zip."""
    required = [
        lambda_folder / PACKAGE / "handler.py",
        include_folder / "image_classifier/__init__.py",
        include_folder / CONTRACTS / "__init__.py",
    ]
    if missing := [str(path) for path in required if not path.is_file()]:
        message = f"The function cannot be packed without {', '.join(missing)}: name the folders of this package."
        raise FunctionError(message)
    found = (path for pattern in ("*.py", "*.json") for path in (lambda_folder / PACKAGE).rglob(pattern))
    own = {path.relative_to(lambda_folder).as_posix(): path for path in found}
    shared = [required[1], *(include_folder / CONTRACTS).glob("*.py")]
    files = own | {path.relative_to(include_folder).as_posix(): path for path in shared}
    return {name: path.read_bytes() for name, path in files.items()}


def _contents(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel that the function needs, and its licences, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if _is_needed(name)}


def _is_needed(name: str) -> bool:
    if name.endswith("/") or METADATA.match(name) or UNUSED_BINARIES.fullmatch(name):
        return False
    return bool(PILLOW_MODULES.fullmatch(name)) if name.startswith("PIL/") and name.endswith(".py") else True


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Zip files with sorted names, fixed dates and fixed permissions, so that the result depends on the files only."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=ZIP_EPOCH)
            entry.external_attr = READABLE
            entry.create_system = UNIX
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return buffer.getvalue()


@dataclass(frozen=True)
class _Wheels:
    """The wheels that requirements.txt pins, for the function's runtime and architecture."""

    requirements: Path
    runtime: str
    architecture: str

    def files(self, cache_folder: Path) -> list[Path]:
        """Return the wheels below the folder; they are downloaded once."""
        if self.architecture not in ARCHITECTURES or not re.fullmatch(r"python3\.\d+", self.runtime):
            supported = f"python3.x and {' or '.join(ARCHITECTURES)}"
            raise FunctionError(f"Functions run on {supported}, found {self.runtime} and {self.architecture}")
        try:
            pins = self.requirements.read_text()
        except OSError as error:
            raise FunctionError(f"The function's requirements cannot be read: {error}") from error
        pinned = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", pins))
        name = hashlib.sha256(f"{pins}\n{self.runtime}\n{self.architecture}".encode()).hexdigest()[:16]
        folder = cache_folder / f"{self.runtime}-{self.architecture}-{name}"
        if not _is_complete(folder, pinned):
            self._download(folder)
        if not _is_complete(folder, pinned):
            message = f"The wheels in {folder} are not those of {self.requirements}; delete that folder and try again"
            raise FunctionError(message)
        return sorted(folder.glob("*.whl"))

    def _download(self, folder: Path) -> None:
        """Download into a temporary folder and rename it, so that an interrupted run leaves no incomplete folder."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".download-") as temporary:
            incoming = Path(temporary) / "wheels"
            self._run_pip(incoming)
            shutil.rmtree(folder, ignore_errors=True)  # an existing folder is damaged
            try:
                incoming.rename(folder)
            except OSError:
                if not folder.is_dir():  # otherwise another process downloaded the same wheels first
                    raise

    def _run_pip(self, folder: Path) -> None:
        """Run pip with the index for which this machine's pip is configured."""
        platforms = [f"--platform={platform}_{ARCHITECTURES[self.architecture]}" for platform in PLATFORMS]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--require-hashes", "--only-binary=:all:", "--implementation=cp", *platforms]
        command += [
            f"--python-version={self.runtime.removeprefix('python')}",
            f"--dest={folder}",
            f"--requirement={self.requirements}",
        ]
        wanted = f"the wheels of {self.requirements} for {self.runtime} on {self.architecture}"
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_LIMIT_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise FunctionError(f"pip did not fetch {wanted} within {DOWNLOAD_LIMIT_S} s; try again") from error
        if result.returncode != 0:
            raise FunctionError(
                f"pip cannot fetch {wanted}. {_advice(result.stderr)} pip said: {result.stderr.strip()[-600:]}"
            )


def _is_complete(folder: Path, pinned: set[str]) -> bool:
    """Return whether the folder holds all pinned wheels, with the pinned hashes."""
    wheels = list(folder.glob("*.whl"))
    return bool(wheels) and all(hashlib.sha256(wheel.read_bytes()).hexdigest() in pinned for wheel in wheels)


def _advice(complaint: str) -> str:
    """Return the remedy for pip's error message."""
    if "No module named pip" in complaint:
        return "Install pip beside Airflow: requirements.txt lists it."
    if "do not match the hashes" in complaint.lower():
        return "The index offers other files than the ones that were pinned: do not use them."
    # Offline, pip also says so, but warns of retries before.
    if "No matching distribution" in complaint and "Retrying" not in complaint:
        return (
            "The index has no wheel for this runtime and architecture: change IMAGE_CLASSIFIER_FUNCTION_RUNTIME or "
            "IMAGE_CLASSIFIER_FUNCTION_ARCHITECTURE, or the pin."
        )
    return (
        "Give this machine a way to the package index that its pip is configured for, or fill the cache folder on one "
        "that has it and copy it."
    )
