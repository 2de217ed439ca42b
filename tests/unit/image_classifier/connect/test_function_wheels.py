"""Checks the function's wheels for arm64: their hashes are pinned, and pip is asked for that platform."""

import re
import subprocess

import pytest

from image_classifier.connect import function_package
from image_classifier.contracts.errors import FunctionError

# Of pillow 13.0.0 and pi-heif 1.4.0 for aarch64; `make arm64-wheels` fetches them.
AARCH64 = {
    "python3.11": (
        "7c88c10dd432f3b39ccdafc9ed81d0c21b8fd634502574da76d1bfa4fe2c76d0",
        "d8789b56a4eb1bda9ec3479e22537f20a3e42e98e145dfc4825ebf5ec945cdd9",
    ),
    "python3.12": (
        "8bf295fe459343bc6093c8e5e0df60bfa189e0fcb775a22e2c2488fdeccc6c0d",
        "b4cc3a6a55d31f7961d7bf16103a47704adf33c06209d9f86351caea2084c40a",
    ),
    "python3.13": (
        "19b66ca0a4d25cc0200b381ce824c7ea090db61427315e73cfb05dbf1b35c369",
        "0cd041cdf552019737f665fdcdf9c831ef354785a92d930d7f546ba9959a0284",
    ),
}
REQUIREMENTS = function_package.LAMBDA_FOLDER / "requirements.txt"


@pytest.mark.parametrize("runtime", AARCH64)
def test_the_wheels_for_arm64_are_pinned_by_their_hashes(runtime):
    assert set(AARCH64[runtime]) <= set(re.findall(r"--hash=sha256:([0-9a-f]{64})", REQUIREMENTS.read_text()))


def test_the_recorded_hashes_are_of_the_pinned_releases():
    pinned = re.findall(r"^(\S+)==(\S+)", REQUIREMENTS.read_text(), re.M)

    assert pinned == [("pi-heif", "1.4.0"), ("pillow", "13.0.0")]


@pytest.mark.parametrize("runtime", AARCH64)
def test_pip_is_asked_for_wheels_of_arm64_alone(runtime, monkeypatch, tmp_path):
    asked = []

    def refuse(command, **_):
        asked.append(command)
        return subprocess.CompletedProcess(command, returncode=1, stdout="", stderr="offline")

    monkeypatch.setattr(function_package.subprocess, "run", refuse)
    folders = {"lambda_folder": function_package.LAMBDA_FOLDER, "include_folder": function_package.INCLUDE_FOLDER}

    with pytest.raises(FunctionError, match=f"the wheels of .* for {runtime} on arm64"):
        function_package.package_function(**folders, runtime=runtime, architecture="arm64", cache_folder=tmp_path)

    [command] = asked
    assert [part for part in command if part.startswith("--platform=")] == [
        "--platform=manylinux_2_28_aarch64",
        "--platform=manylinux2014_aarch64",
    ]
    assert {"--require-hashes", "--only-binary=:all:", f"--python-version={runtime[6:]}"} <= set(command)
