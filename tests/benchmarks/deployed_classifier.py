"""Starts a local AWS with a classifier deployed in it, without Airflow and without training, for the benchmarks."""

import contextlib
import dataclasses
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from tests.ports import free_port

from image_classifier.aws.names import Keys, endpoint_name
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.connect.function import ensure_function
from image_classifier.connect.function_configuration import function_configuration
from image_classifier.connect.function_package import package_of
from image_classifier.connect.notification import UploadTrigger, ensure_upload_trigger
from image_classifier.contracts.labels import labels_document
from image_classifier.deploy import endpoint_config, model_file
from image_classifier.deploy import model as models
from image_classifier.train.image_uris import image_uri

ROOT = Path(__file__).resolve().parents[2]
LOCAL_AWS_PYTHON = ROOT / ".venv/local-aws/bin/python"
JOB = "image-classifier-digits-0123456789abcdef"
LABELS = [str(number) for number in range(10)]
READY_LIMIT_S = 120


@dataclasses.dataclass(frozen=True)
class Deployed:
    """A classifier that is deployed in a local AWS of its own."""

    environ: dict[str, str]
    bucket: str
    pid: int
    classifier: str = "digits"

    def client(self, service: str) -> Any:
        """A client with the key that Airflow uses."""
        session = boto3.Session(
            self.environ["AWS_ACCESS_KEY_ID"], self.environ["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1"
        )
        name = f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"
        return session.client(service, endpoint_url=self.environ.get(name, self.environ["AWS_ENDPOINT_URL"]))

    @property
    def keys(self) -> Keys:
        """Where the classifier's objects are."""
        return Keys(self.classifier)


@contextlib.contextmanager
def deployed(source: Path = ROOT) -> Iterator[Deployed]:
    """Start the local AWS of a checkout, deploy, and end everything."""
    with tempfile.TemporaryDirectory(prefix="benchmark-aws-") as temporary:
        state, ports = Path(temporary) / "state", (free_port(), free_port())
        command = [str(LOCAL_AWS_PYTHON), "-m", "local_aws", "--state", str(state)]
        command += ["--port", str(ports[0]), "--sagemaker-port", str(ports[1])]
        with (Path(temporary) / "log").open("wb") as log:
            environ = {**os.environ, "PYTHONPATH": str(source / "include"), "PYTHONDONTWRITEBYTECODE": ""}
            process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        try:
            ready = _ready(state / "ready.json", process)
            os.environ.update(ready["settings"])
            found = Deployed(ready["aws"], ready["settings"]["IMAGE_CLASSIFIER_BUCKET"], process.pid)
            _deploy(found, artifact=_artifact(Path(temporary) / "model.tar.gz"))
            yield found
        finally:
            process.terminate()
            process.wait(60)


def _artifact(file: Path) -> Path:
    program = [str(LOCAL_AWS_PYTHON), str(Path(__file__).parent / "served_model.py"), str(file)]
    subprocess.run(program, env={**os.environ, "PYTHONPATH": str(ROOT / "include")}, check=True)
    return file


def _ready(file: Path, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    end = time.monotonic() + READY_LIMIT_S
    while not file.exists():
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit("The local AWS did not start.")
        time.sleep(0.1)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def _deploy(found: Deployed, *, artifact: Path) -> None:
    """Do what the Dag's tasks from model to trigger do."""
    settings, classifier = Settings.from_env(), Classifier.from_file(ROOT / "include/classifiers/digits.yaml")
    s3, sagemaker, functions = (found.client(name) for name in ("s3", "sagemaker", "lambda"))
    model_key, labels_key = f"{found.keys.models}{JOB}/output/model.tar.gz", f"{found.keys.models}labels.json"
    s3.upload_file(str(artifact), found.bucket, model_key)
    s3.put_object(Bucket=found.bucket, Key=labels_key, Body=labels_document(LABELS))
    model_file.publish_model_file(
        s3, bucket=found.bucket, classifier=classifier, labels_key=labels_key, training_job=JOB
    )
    uri = f"s3://{found.bucket}/{model_key}"
    model = models.model_request(
        classifier, settings=settings, training_job=JOB, model_artifact=uri, image=image_uri("us-east-1")
    )
    models.ensure_model(sagemaker, model)
    config = endpoint_config.endpoint_config_request(classifier, training_job=JOB, model=model)
    endpoint_config.ensure_endpoint_config(sagemaker, config)
    name = config["EndpointConfigName"]
    sagemaker.create_endpoint(EndpointName=endpoint_name(classifier.name), EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=endpoint_name(classifier.name), WaiterConfig={"Delay": 1}
    )
    configuration = function_configuration(classifier, settings=settings, training_job=JOB, endpoint_config=name)
    function = ensure_function(
        functions, s3, found.client("logs"), configuration=configuration, package=package_of(settings)
    )
    trigger = UploadTrigger.of(classifier.name, function_arn=function.alias_arn)
    ensure_upload_trigger(functions, s3, bucket=found.bucket, trigger=trigger)
