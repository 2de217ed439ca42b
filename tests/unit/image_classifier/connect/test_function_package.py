"""Checks that the function's zip depends only on its sources, its pinned packages and its target."""

import base64
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from image_classifier.connect import function_package
from image_classifier.connect.function_package import default_cache_folder, package_function
from image_classifier.contracts.errors import FunctionError

ROOT = Path(__file__).parents[4]
# A stand-in for Pillow's wheel, which only its names matter of here; the real one needs a package index.
WHEEL_FILES = {
    "PIL/__init__.py": "__version__ = '13.0.0'",
    "PIL/Image.py": "class Image: ...\nclass Transpose: ...\n",
    "PIL/_typing.pyi": "",
    "PIL/py.typed": "",
    "pillow.libs/libjpeg.so": "binary",
    "pillow-13.0.0.dist-info/METADATA": "Name: pillow",
    "pillow-13.0.0.dist-info/RECORD": "",
    "pillow-13.0.0.dist-info/licenses/LICENSE": "HPND",
}


def wheel_bytes():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in WHEEL_FILES.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 10, 16, 20, 23, 0)), content)
    return buffer.getvalue()


@pytest.fixture
def folders(tmp_path):
    """A copy of the function's sources whose requirements pin the stand-in."""
    own, models = "lambda/image_classifier_inference/*.py", "lambda/image_classifier_inference/service_models/**/*.json"
    for pattern in (own, models, "include/image_classifier/*.py", "include/image_classifier/contracts/*.py"):
        for path in ROOT.glob(pattern):
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    digest = hashlib.sha256(wheel_bytes()).hexdigest()
    (tmp_path / "lambda/requirements.txt").write_text(f"pillow==13.0.0 --hash=sha256:{digest}\n")
    return tmp_path


@pytest.fixture
def pip(monkeypatch):
    """A pip that downloads the stand-in, and remembers how it was asked."""
    calls = []

    def run(command, **_):
        calls.append(command)
        folder = Path(next(word for word in command if word.startswith("--dest=")).removeprefix("--dest="))
        folder.mkdir(parents=True)
        (folder / "pillow-13.0.0-cp312-cp312-manylinux_2_28_x86_64.whl").write_bytes(wheel_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(function_package, "subprocess", SimpleNamespace(run=run))
    return calls


@pytest.fixture
def broken_pip(monkeypatch):
    """A pip that ends with an error."""

    def complain(stderr):
        result = subprocess.CompletedProcess([], 1, "", stderr)
        monkeypatch.setattr(function_package, "subprocess", SimpleNamespace(run=lambda *_, **__: result))

    return complain


def pack(folders, *, runtime="python3.12", architecture="x86_64"):
    return package_function(
        lambda_folder=folders / "lambda",
        include_folder=folders / "include",
        runtime=runtime,
        architecture=architecture,
        cache_folder=folders / "cache",
    )


def names(package):
    return zipfile.ZipFile(io.BytesIO(package.zip_bytes)).namelist()


def test_the_zip_holds_the_function_what_it_shares_and_what_it_needs(folders, pip):
    function = ROOT / "lambda/image_classifier_inference"
    own = [path.relative_to(ROOT / "lambda").as_posix() for path in function.rglob("*.*") if path.suffix != ".pyc"]
    contracts = [
        f"image_classifier/contracts/{path.name}" for path in (ROOT / "include/image_classifier/contracts").glob("*.py")
    ]

    assert names(pack(folders)) == sorted(
        [
            "PIL/Image.py",
            "PIL/__init__.py",
            "image_classifier/__init__.py",
            *contracts,
            *own,
            "pillow-13.0.0.dist-info/licenses/LICENSE",
            "pillow.libs/libjpeg.so",
        ]
    )


def test_packing_twice_gives_the_same_bytes(folders, pip):
    first = pack(folders)
    for path in folders.rglob("*.py"):
        os.utime(path, (0, 1_000_000_000))
        path.chmod(0o600)
    (folders / "lambda/image_classifier_inference/__pycache__").mkdir()
    (folders / "lambda/image_classifier_inference/__pycache__/handler.cpython-311.pyc").write_bytes(b"x")

    assert pack(folders) == first


def test_a_changed_source_gives_another_zip(folders, pip):
    before = pack(folders)
    with (folders / "include/image_classifier/contracts/pixels.py").open("a") as source:
        source.write("# changed\n")

    assert pack(folders).sha256 != before.sha256


def test_lambda_may_read_every_file(folders, pip):
    archive = zipfile.ZipFile(io.BytesIO(pack(folders).zip_bytes))

    assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}


def test_no_date_of_the_machine_gets_into_the_zip(folders, pip):
    archive = zipfile.ZipFile(io.BytesIO(pack(folders).zip_bytes))

    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_hash_is_spelled_as_lambda_spells_it(folders, pip):
    package = pack(folders)

    assert base64.b64decode(package.code_sha256).hex() == package.sha256
    assert hashlib.sha256(package.zip_bytes).hexdigest() == package.sha256


def test_pip_is_asked_for_the_functions_machine_and_not_for_this_one(folders, pip):
    pack(folders, runtime="python3.13", architecture="arm64")

    (command,) = pip
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--require-hashes", "--only-binary=:all:", "--no-deps", "--python-version=3.13"} < set(command)
    assert [word for word in command if word.startswith("--platform")] == [
        "--platform=manylinux_2_28_aarch64",
        "--platform=manylinux2014_aarch64",
    ]


def test_wheels_are_downloaded_once(folders, pip):
    pack(folders)
    pack(folders)

    assert len(pip) == 1


def test_another_target_has_wheels_of_its_own(folders, pip):
    pack(folders, architecture="x86_64")
    pack(folders, architecture="arm64")

    assert len(pip) == 2


def test_a_wheel_that_was_damaged_in_the_cache_is_downloaded_again(folders, pip):
    first = pack(folders)
    next((folders / "cache").rglob("*.whl")).write_bytes(b"damaged")

    assert pack(folders) == first
    assert len(pip) == 2


def test_a_download_that_was_cut_off_leaves_nothing_that_looks_complete(folders, broken_pip):
    broken_pip("ERROR: interrupted")

    with pytest.raises(FunctionError):
        pack(folders)

    assert list((folders / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("stderr", "advice"),
    [
        ("python: No module named pip", "Install pip beside Airflow"),
        ("ERROR: No matching distribution found for pillow==13.0.0", "IMAGE_CLASSIFIER_FUNCTION_RUNTIME"),
        (
            "WARNING: Retrying (Retry(total=0))\nERROR: No matching distribution found for pillow",
            "a way to the package",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "do not use them"),
    ],
)
def test_a_download_that_fails_says_what_to_do(folders, broken_pip, stderr, advice):
    broken_pip(stderr)

    with pytest.raises(FunctionError, match=rf"python3\.12 on x86_64\. .*{advice}"):
        pack(folders)


@pytest.mark.parametrize(("runtime", "architecture"), [("nodejs22.x", "x86_64"), ("python3.12", "riscv64")])
def test_a_target_that_lambda_does_not_have_is_refused(folders, runtime, architecture):
    with pytest.raises(FunctionError, match=f"found {runtime} and {architecture}"):
        pack(folders, runtime=runtime, architecture=architecture)


@pytest.mark.parametrize(
    "missing", ["include/image_classifier/contracts/__init__.py", "lambda/image_classifier_inference/handler.py"]
)
def test_a_missing_file_is_named(folders, pip, missing):
    (folders / missing).unlink()

    with pytest.raises(FunctionError, match=missing):
        pack(folders)


def test_a_zip_over_lambdas_limit_is_refused(folders, pip, monkeypatch):
    monkeypatch.setattr(function_package, "MAX_ZIP_BYTES", 100)

    with pytest.raises(FunctionError, match="Lambda takes at most 100"):
        pack(folders)


def test_the_function_imports_from_its_zip_alone(folders, pip, tmp_path):
    """Everything but Pillow, of which this machine's own stands in, and botocore, which Lambda brings."""
    with zipfile.ZipFile(io.BytesIO(pack(folders).zip_bytes)) as archive:
        archive.extractall(
            tmp_path / "task", [name for name in archive.namelist() if name.startswith("image_classifier")]
        )
    site = Path(pytest.__file__).parents[1]
    program = (
        f"import sys; sys.path[:0] = [{str(tmp_path / 'task')!r}, {str(site)!r}]\n"
        "from image_classifier_inference import events, inference\n"
        "ours = [m.__file__ for n, m in sys.modules.items() if n.startswith('image_classifier')]\n"
        f"assert all(file.startswith({str(tmp_path / 'task')!r}) for file in ours), ours\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'pydantic', 'yaml', 'airflow', 'boto3'}))"
    )
    result = subprocess.Popen(
        [sys.executable, "-I", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    output, complaint = result.communicate(timeout=60)

    assert output == "[]\n", complaint


def test_the_cache_is_where_the_machine_keeps_caches():
    assert default_cache_folder({"XDG_CACHE_HOME": "/caches"}) == Path("/caches/image-classifier")
    assert default_cache_folder({}) == Path.home() / ".cache/image-classifier"


def test_requirements_pin_wheels_by_hash_and_name_no_index():
    pins = (ROOT / "lambda/requirements.txt").read_text()

    assert "pillow==13.0.0" in pins
    assert "--hash=sha256:" in pins
    assert "://" not in pins
