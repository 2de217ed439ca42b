"""Runs the demonstration: trains a classifier, uploads held-out images and prints a table of their predictions."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from image_classifier.aws import names
from image_classifier.contracts.predictions import Prediction
from image_classifier.contracts.record_keys import record_key
from laptop import images, own_images, supervisor
from laptop.airflow_api import AirflowApi
from laptop.airflow_settings import USER, password
from laptop.follow import EpochLines, Run
from laptop.place import LaptopError, Place

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREDICTION_WAIT_S = 120


@dataclass(frozen=True)
class Upload:
    """One held-out image that was uploaded."""

    true_class: str
    file: Path
    key: str
    version_id: str


def demonstrate(place: Place, data: Path | None, *, fields: Mapping[str, Any]) -> None:
    """Run the whole demonstration and print its results; `data` and `fields` as for `own_images.own`.

    Raises:
        LaptopError: the user must change something, or a task failed; the message has the end of its log.

    """
    began = time.monotonic()
    demonstration = own_images.own(place, data, fields) if data else images.digits(place)
    print("Starting the local AWS and Airflow ...", flush=True)
    supervisor.start(place)
    print(f"  ready after {time.monotonic() - began:.0f} s: {place.airflow_url}\n", flush=True)
    aws = train_and_classify(place, demonstration)
    print(f"It took {time.monotonic() - began:.0f} s.")
    where = f"Logs       {place.logs}"
    stop = "make down (models and predictions are kept)"
    print_farewell(place, aws, demonstration.classifier, airflow_url=place.airflow_url, where=where, stop=stop)


def train_and_classify(place: Place, demonstration: images.Demonstration) -> "Aws":
    """Run the classifier's Dag, upload the images it has never seen, and print their predictions."""
    aws = Aws(place)
    job, evaluated = run_dag(place, aws, demonstration.classifier)
    print(training_line(job), end="", flush=True)
    print(evaluation_lines(aws, evaluated, place.reports), flush=True)
    uploads = upload_all(aws, demonstration.classifier, demonstration.uploads)
    records = await_records(aws, demonstration.classifier, uploads)
    print_table(uploads, records)
    return aws


class Aws:
    """Clients of the local AWS, made from its ready.json."""

    def __init__(self, place: Place) -> None:
        ready = json.loads((place.aws_state / "ready.json").read_text())
        self.bucket: str = ready["settings"]["IMAGE_CLASSIFIER_BUCKET"]
        session = boto3.Session(
            aws_access_key_id=ready["aws"]["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ready["aws"]["AWS_SECRET_ACCESS_KEY"],
            region_name=ready["region"],
        )
        self.upload_key: dict[str, str] = ready["uploads"]
        uploads = boto3.Session(
            aws_access_key_id=self.upload_key["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.upload_key["AWS_SECRET_ACCESS_KEY"],
            region_name=ready["region"],
        )
        path_style = Config(s3={"addressing_style": "path"})  # DNS does not resolve buckets
        self.url: str = ready["endpoint_url"]
        self.s3 = session.client("s3", endpoint_url=self.url, config=path_style)
        self.uploads = uploads.client("s3", endpoint_url=self.url, config=path_style)
        self.functions = session.client("lambda", endpoint_url=self.url)
        self.logs = session.client("logs", endpoint_url=self.url)
        self.sagemaker = session.client("sagemaker", endpoint_url=ready["sagemaker_endpoint_url"])


def run_dag(place: Place, aws: Aws, classifier: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Trigger the classifier's Dag and show the run to its end; return the results of training and of the evaluation.

    Raises:
        LaptopError: a task failed, or the Dag was not loaded.

    """
    api = AirflowApi(place)
    dag_id = f"{classifier}_train_and_deploy"
    api.await_dag(dag_id)
    epochs = EpochLines(aws.sagemaker, aws.logs, classifier)
    run = Run(api, dag_id, api.trigger(dag_id, {}))
    print(f"Run {run.run_id} of the Dag {dag_id}", flush=True)
    state = run.follow(epochs=epochs)
    if state != "success":
        raise run.explain_failure()
    job, evaluated = (api.result(dag_id, run.run_id, task) for task in ("train.train_model", "evaluate.write_report"))
    return job, evaluated


def training_line(job: dict[str, Any]) -> str:
    """Return one line about the model that is deployed now."""
    best = job["best_validation_accuracy"]
    accuracy = "" if best is None else f", validation accuracy {best:.3f}"
    if job["outcome"] == "reused":
        return f"\nNothing to train: same images and settings as job {job['training_job']}{accuracy}.\n"
    return f"\nTrained by job {job['training_job']}{accuracy}, {job['billable_s']} billable seconds.\n"


def evaluation_lines(aws: Aws, evaluated: dict[str, Any], folder: Path | None) -> str:
    """Return the accuracy on test images and the place of the report, which is copied to the folder if one is given."""
    if not evaluated:
        return "Not evaluated: there is no test image.\n"
    accuracy, where = evaluated["accuracy"], evaluated["page"]
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "report.html"
        file.write_bytes(aws.s3.get_object(Bucket=aws.bucket, Key=urlsplit(where).path.lstrip("/"))["Body"].read())
        where = str(file)
    interval = f"{accuracy['low']:.1%} to {accuracy['high']:.1%} with 95% confidence"
    return f"Test accuracy {accuracy['value']:.1%} on {accuracy['of']} images ({interval}).\nReport: {where}\n"


def upload_all(aws: Aws, classifier: str, labelled: Sequence[tuple[str, Path]]) -> list[Upload]:
    """Upload images of known class below incoming/, each under a unique key.

    Raises:
        LaptopError: the classifier has no inference function.

    """
    _require_function(aws, classifier)
    taken: set[tuple[str, str]] = set()
    uploads = []
    for number, (true_class, file) in enumerate(labelled):
        name = f"{number}-{file.name}" if (true_class, file.name) in taken else file.name
        taken.add((true_class, file.name))
        uploads.append(upload(aws, classifier, true_class, file, name=name))
    return uploads


def upload(aws: Aws, classifier: str, true_class: str, file: Path, *, name: str | None = None) -> Upload:
    """Upload one image below incoming/, as any program or person would."""
    key = f"{names.Keys(classifier).incoming}demo/{true_class}/{name or file.name}"
    put = aws.uploads.put_object(Bucket=aws.bucket, Key=key, Body=file.read_bytes())
    return Upload(true_class, file, key, put["VersionId"])


def _require_function(aws: Aws, classifier: str) -> None:
    function = names.function_name(classifier)
    try:
        aws.functions.get_function(FunctionName=function)
    except aws.functions.exceptions.ResourceNotFoundException:
        message = (
            f"The classifier {classifier} answers no uploads: there is no function {function}. Look at the name, or "
            f"run the Dag {classifier}_train_and_deploy first."
        )
        raise LaptopError(message) from None


def await_records(aws: Aws, classifier: str, uploads: list[Upload]) -> dict[str, Prediction]:
    """Wait for the prediction records of exactly these uploads; return them by key.

    Raises:
        LaptopError: an upload has no record in time; the message names one.

    """
    keys = names.Keys(classifier)
    found: dict[str, Prediction] = {}
    deadline = time.monotonic() + PREDICTION_WAIT_S
    while len(found) < len(uploads):
        for upload in (upload for upload in uploads if upload.key not in found):
            record = _record(
                aws.uploads,
                aws.bucket,
                record_key(upload.key, incoming_prefix=keys.incoming, predictions_prefix=keys.predictions),
            )
            if record and record.image.version_id == upload.version_id:
                found[upload.key] = record
        if len(found) < len(uploads) and time.monotonic() > deadline:
            missing = [upload.key for upload in uploads if upload.key not in found]
            message = (
                f"{len(missing)} of {len(uploads)} uploads had no prediction within {PREDICTION_WAIT_S} s, such as "
                f"{missing[0]}; the function's log group is /aws/lambda/{names.function_name(classifier)}."
            )
            raise LaptopError(message)
        time.sleep(0.2)
    return found


def _record(s3: "S3Client", bucket: str, key: str) -> Prediction | None:
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
            return None
        raise
    return Prediction.from_json(body)


def print_table(uploads: list[Upload], records: dict[str, Prediction]) -> None:
    """Print one row per upload, then the number of correct predictions."""
    table = Table("Image", "True class", "Predicted", "Confidence", "Seconds", title="Images the model has never seen")
    right = 0
    for upload in uploads:
        record = records[upload.key]
        right += record.label == upload.true_class
        predicted = record.label or f"{record.status}: {record.reason.sentence if record.reason else ''}"
        wrong = "" if record.label == upload.true_class else "  <- wrong"
        confidence = "" if record.confidence is None else f"{record.confidence:.3f}"
        seconds = f"{record.times.total_ms / 1000:.2f}"
        table.add_row(upload.file.name, upload.true_class, predicted + wrong, confidence, seconds)
    Console(width=None if sys.stdout.isatty() else 110).print(table)
    print(
        f"{right} of {len(uploads)} right ({right / max(1, len(uploads)):.0%}). Seconds: from upload to prediction.\n"
    )


def print_farewell(place: Place, aws: Aws, classifier: str, *, airflow_url: str, where: str, stop: str) -> None:
    """Print addresses, credentials and what the user can do next."""
    print(
        f"  Airflow    {airflow_url}   user {USER}, password {password(place)}\n"
        f"  Gallery    {airflow_url}/plugin/image-classifiers/image-classifier/{classifier}/gallery\n"
        "             shows the predictions; correct them there\n"
        f"  Uploads    every image put below s3://{aws.bucket}/{names.Keys(classifier).incoming}\n"
        f"             is classified from now on; S3 is at {aws.url}\n"
        f"  Upload key {aws.upload_key['AWS_ACCESS_KEY_ID']}, secret {aws.upload_key['AWS_SECRET_ACCESS_KEY']}:\n"
        "             it may put images below incoming/ and read predictions/, nothing else\n"
        f"  {where}\n"
        f"  Stop       {stop}\n"
        "Nothing was charged: this AWS is a few processes on this machine.",
        flush=True,
    )
