"""Fetches the inference function's wheels while the image is built, so that no worker needs a package index."""

import os
import sys
from pathlib import Path

from image_classifier.connect.function_package import ARCHITECTURES, default_cache_folder, package_function

INCLUDE = Path(__file__).parents[2]


def main() -> None:
    """Download the wheels for this Python and machine, with which the local AWS runs functions."""
    machine = os.uname().machine
    [architecture] = [name for name, wheels in ARCHITECTURES.items() if wheels == machine]
    package_function(
        lambda_folder=INCLUDE.parent / "lambda",
        include_folder=INCLUDE,
        runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        architecture=architecture,
        cache_folder=default_cache_folder(),
    )


if __name__ == "__main__":
    main()
