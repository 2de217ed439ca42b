"""What a cold start of the inference function costs, against a handler with boto3's clients (at most 0.75).

The function's zip is packed as for Lambda and unpacked into a folder that cannot be written. Each start is a new
process with that folder and boto3 with its dependencies on its path, all of which have their bytecode; both sides
import Pillow from the zip, and they take turns. Measured is the CPU time of the import of the handler, which makes the
clients: Lambda's runtime is there before it.

PYTHONPATH=include:lambda .venv/airflow/bin/python tests/benchmarks/cold_start.py [STARTS]
"""

import io
import platform
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from measured import load

from image_classifier.connect.function_package import LAMBDA_FOLDER, default_cache_folder, package_function
from local_aws.function_runtime import link_runtime_packages

MOST = 0.75
ENVIRON = {
    "AWS_ACCESS_KEY_ID": "benchmark",
    "AWS_SECRET_ACCESS_KEY": "benchmark",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "CLASSIFIER": "pets",
    "ENDPOINT": "image-classifier-pets",
    "ENDPOINT_CONFIG": "image-classifier-pets-0123",
    "TRAINING_JOB": "job",
    "UNSURE_BELOW": "auto",
    "MODELS_PREFIX": "pets/models/",
    "INCOMING_PREFIX": "pets/incoming/",
    "PREDICTIONS_PREFIX": "pets/predictions/",
    "THUMBNAILS_PREFIX": "pets/thumbnails/",
    "LOG_PREFIX": "pets/predictions-log/",
}
SIDES = {
    "boto3's clients and Pillow": "import boto3, PIL.Image; boto3.client('s3'); boto3.client('sagemaker-runtime')",
    "the inference function": "import image_classifier_inference.handler",
}
# Lambda's runtime has imported json and logging when it imports the handler.
PROGRAM = """
import json, logging, sys, time
sys.dont_write_bytecode = True
sys.path[:0] = {folders!r}
started = time.process_time()
{imports}
print(time.process_time() - started)
"""


def unpacked(folder: Path) -> list[str]:
    """Unpack the function below a folder, and link the packages that Lambda adds; return both folders."""
    architecture = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64"}[platform.machine().lower()]
    package = package_function(
        lambda_folder=LAMBDA_FOLDER,
        include_folder=LAMBDA_FOLDER.parent / "include",
        runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        architecture=architecture,
        cache_folder=default_cache_folder(),
    )
    print(f"The function's zip has {len(package.zip_bytes) / 1e6:.1f} MB.")
    zipfile.ZipFile(io.BytesIO(package.zip_bytes)).extractall(folder / "task")
    link_runtime_packages(folder / "runtime")
    return [str(folder / "task"), str(folder / "runtime")]


def start(imports: str, *, folders: list[str]) -> float:
    """CPU seconds of the imports in a new process."""
    command = [sys.executable, "-I", "-S", "-c", PROGRAM.format(folders=folders, imports=imports)]
    result = subprocess.run(command, env=ENVIRON, capture_output=True, text=True, check=True)
    return float(result.stdout)


def main(starts: int) -> None:
    """Print the medians and the median of the ratios; one more start of each side goes first and is not counted."""
    with tempfile.TemporaryDirectory(prefix="cold-start-") as temporary:
        folders = unpacked(Path(temporary))
        rounds = [{name: start(code, folders=folders) for name, code in SIDES.items()} for _ in range(starts + 1)][1:]
    print(f"Median of {starts} starts each, in turn; {load()}.")
    for name in SIDES:
        print(f"{name:28} {statistics.median(one[name] for one in rounds) * 1000:6.0f} ms CPU")
    boto3, function = SIDES
    ratio = statistics.median(one[function] / one[boto3] for one in rounds)
    print(f"function / boto3: {ratio:.2f} (at most {MOST})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
