"""Checks that the zip alone decodes every format: it holds what the function uses of Pillow and pi-heif."""

import base64
import hashlib
import importlib.metadata
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from image_classifier.connect.function_package import LAMBDA_FOLDER, FunctionPackage, package_function
from image_classifier.contracts.decoding import FORMATS

INCLUDE = LAMBDA_FOLDER.parent / "include"
RUNTIME = f"python3.{sys.version_info.minor}"
WITHOUT_BYTECODE = "python3.11" if sys.version_info.minor != 11 else "python3.12"
SOURCE = r"(image_classifier|image_classifier_inference|PIL|pi_heif)/.*"
# Every file that is neither a module nor bytecode nor a model of the clients, without versions and hashes.
CONTENTS = {
    "PIL/_avif.so",
    "PIL/_imaging.so",
    "PIL/_webp.so",
    "_pi_heif.so",
    "pi_heif.dist-info/licenses/LICENSE.txt",
    "pi_heif.dist-info/licenses/LICENSES_bundled.txt",
    "pi_heif.libs/libde265.so",
    "pi_heif.libs/libheif.so",
    "pillow.dist-info/licenses/LICENSE",
    *(f"pillow.libs/{name}.so" for name in ("libXau", "libavif", "libjpeg", "liblzma", "libopenjp2", "libsharpyuv")),
    *(f"pillow.libs/{name}.so" for name in ("libtiff", "libwebp", "libwebpdemux", "libwebpmux", "libxcb", "libzstd")),
}
DECODE = """
import base64, json, sys
sys.path.insert(0, sys.argv[1])
from image_classifier.contracts import pixels
given = {name: base64.b64decode(data) for name, data in json.load(sys.stdin).items()}
prepared = {name: pixels.prepare(data, pixels.PixelParameters(28)) for name, data in given.items()}
print(json.dumps({name: [it.width, it.height, len(pixels.thumbnail(it.jpeg)) > 0] for name, it in prepared.items()}))
files = [module.__file__ for name, module in sys.modules.items() if name.startswith(("PIL", "pi_heif"))]
assert all(file.startswith(sys.argv[1]) for file in files), files
"""


def installed_wheel(name: str) -> bytes:
    """The wheel of an installed package, which has the release that lambda/requirements.txt pins."""
    distribution, buffer = importlib.metadata.distribution(name), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in distribution.files or ():
            if "__pycache__" not in path.parts and ".." not in path.parts:
                archive.writestr(str(path), Path(str(distribution.locate_file(path))).read_bytes())
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("packing")
    (root / "lambda").mkdir()
    (root / "lambda/image_classifier_inference").symlink_to(LAMBDA_FOLDER / "image_classifier_inference")
    wheels = {name: installed_wheel(name) for name in ("pillow", "pi-heif")}
    pins = [f"{name} --hash=sha256:{hashlib.sha256(wheel).hexdigest()}" for name, wheel in wheels.items()]
    requirements = "\n".join(pins)
    (root / "lambda/requirements.txt").write_text(requirements)
    for runtime in (RUNTIME, WITHOUT_BYTECODE):
        digest = hashlib.sha256(f"{requirements}\n{runtime}\nx86_64".encode()).hexdigest()[:16]
        cache = root / "cache" / f"{runtime}-x86_64-{digest}"
        cache.mkdir(parents=True)
        for name, wheel in wheels.items():
            (cache / f"{name}.whl").write_bytes(wheel)
    return root


def pack(folders: Path, *, runtime: str) -> FunctionPackage:
    return package_function(
        lambda_folder=folders / "lambda",
        include_folder=INCLUDE,
        runtime=runtime,
        architecture="x86_64",
        cache_folder=folders / "cache",
    )


@pytest.fixture(scope="module")
def package(folders) -> FunctionPackage:
    return pack(folders, runtime=RUNTIME)


def names(package: FunctionPackage) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(package.zip_bytes)).namelist()


def test_the_zip_holds_these_files_and_the_modules(package):
    others = [name for name in names(package) if not re.fullmatch(rf"{SOURCE}\.(py|pyc|json)", name)]
    unversioned = {re.sub(r"-[0-9a-f.]{5,}(?=\.(dist-info|so))|\.cpython[^/]*(?=\.so)", "", name) for name in others}

    assert {re.sub(r"\.so[.0-9]*$", ".so", name) for name in unversioned} == CONTENTS


def test_every_module_of_pillow_in_the_zip_is_imported_for_some_image(package, tmp_path):
    modules = {Path(name).stem for name in names(package) if re.fullmatch(r"PIL/\w+\.py", name)}
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from PIL import Image, MpoImagePlugin, features; Image.init()\n"
        "print(*sorted(name.removeprefix('PIL.') for name in sys.modules if name.startswith('PIL.')))"
    )
    unpack(package, tmp_path)
    imported = run(program, str(tmp_path)).split()

    assert modules - set(imported) == {"__init__", "_typing"}


def test_every_format_is_decoded_from_the_zip_alone(package, heic, tmp_path):
    unpack(package, tmp_path)

    given = {**pictures(), "HEIF": heic}

    shown = json.loads(run(DECODE, str(tmp_path), given=given))

    assert set(shown) == {*FORMATS, "MPO"}
    assert set(map(tuple, shown.values())) == {(80, 64, True)}


def test_packing_again_gives_the_same_bytecode(package, folders):
    assert pack(folders, runtime=RUNTIME) == package


def test_every_module_has_its_bytecode_which_needs_no_date(package):
    archive = zipfile.ZipFile(io.BytesIO(package.zip_bytes))
    tag = sys.implementation.cache_tag
    modules = {name for name in archive.namelist() if name.endswith(".py")}
    compiled = {name for name in archive.namelist() if name.endswith(".pyc")}

    assert compiled == {f"{Path(name).parent}/__pycache__/{Path(name).stem}.{tag}.pyc" for name in modules}
    assert {archive.read(name)[4:8] for name in compiled} == {b"\1\0\0\0"}  # PEP 552: by hash, unchecked


def test_another_release_of_python_gets_no_bytecode(folders):
    assert [name for name in names(pack(folders, runtime=WITHOUT_BYTECODE)) if name.endswith(".pyc")] == []


def pictures() -> dict[str, bytes]:
    """One image of 80 x 64 pixels in each format that Pillow itself writes."""
    image = Image.effect_noise((80, 64), 50).convert("RGB")
    found = {}
    for name in {*FORMATS, "MPO"} - {"HEIF"}:
        buffer = io.BytesIO()
        image.save(buffer, name)
        found[name] = buffer.getvalue()
    return found


def run(program: str, folder: str, *, given: dict[str, bytes] | None = None) -> str:
    """What a Python without packages prints that is given a folder, and images on its standard input."""
    images = json.dumps({name: base64.b64encode(data).decode() for name, data in (given or {}).items()})
    command = [sys.executable, "-I", "-S", "-c", program, folder]
    result = subprocess.run(command, input=images, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def unpack(package: FunctionPackage, folder: Path) -> None:
    zipfile.ZipFile(io.BytesIO(package.zip_bytes)).extractall(folder)
