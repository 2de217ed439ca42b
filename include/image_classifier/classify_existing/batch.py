"""Plans a batch transform job for many existing images: its conditions, cost, model and request.

The endpoint answers uploads while images are classified again; a job has machines of its own. It needs some ten minutes
until it answers its first image, so few images go through the endpoint.
"""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from image_classifier.aws import s3 as storage
from image_classifier.aws.clients import Clients
from image_classifier.aws.names import Keys, function_name
from image_classifier.classifier import Classifier
from image_classifier.classify_existing.batch_parts import part_keys, read_part
from image_classifier.classify_existing.records import Target
from image_classifier.connect.function_versions import ALIAS
from image_classifier.contracts.errors import BudgetError, ResourceBusyError
from image_classifier.contracts.models import Model, parse_model
from image_classifier.deploy.serving import serving_model
from image_classifier.evaluate.transform_jobs import largest_image_bytes, transform_request

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

TRANSFORM_ABOVE = 20_000  # images; eight functions at once classify about 50 a second, as many in seven minutes
START_S = 900  # until a job answers its first image; AWS starts most within ten minutes
S_PER_IMAGE = 0.25  # at most: a ResNet-152 at 224 pixels on the two cores of ml.m5.xlarge
SIDE_PX = 224  # beyond, a network's time grows with the number of pixels
S_PER_UNMODIFIED = 1.0  # in addition, at most: reading and decoding an image of 25 MB and 9,000 x 9,000 pixels
SECONDS_AN_HOUR = 3600
# S3: three reads, and five writes (prepared image, answer, record, thumbnail, log entry); us-east-1, 2026.
USD_PER_IMAGE = 3 * 0.0000004 + 5 * 0.000005


class Batch(BaseModel):
    """One run's batch; goes through XCom as a dict.

    Attributes:
        classifier: its name.
        bucket: of the deployment.
        started_ms: start of the run, in milliseconds since 1970; it names the batch's folder.
        shares: among how many tasks the images are divided.
        training_job: of the model that serves.
        model: SageMaker's name of that model.
        endpoint: the records name it as they do for uploads.
        endpoint_config: the same.
        unsure_below: the live function's threshold; None is the model's own.
        calibrate: whether the live function applies the model's temperature.

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    classifier: str
    bucket: str
    started_ms: int
    shares: int
    training_job: str
    model: str
    endpoint: str
    endpoint_config: str
    unsure_below: float | None
    calibrate: bool

    @property
    def target(self) -> Target:
        return Target(self.classifier, self.bucket)

    @property
    def prefix(self) -> str:
        """The prefix of the run's objects: below evaluations/, which SageMaker's role may read."""
        return f"{batches_prefix(self.classifier)}{self.started_ms}/"

    @property
    def started(self) -> datetime:
        return datetime.fromtimestamp(self.started_ms / 1000, UTC)

    @property
    def manifest(self) -> str:
        """The key of the list of all prepared images; once it is written, the job's images do not change."""
        return f"{self.prefix}input.manifest"

    @property
    def images(self) -> str:
        """The prefix of the prepared images."""
        return f"{self.prefix}images/"

    @property
    def output(self) -> str:
        """The prefix of the model's answers."""
        return f"{self.prefix}output/"

    def read_model(self, s3: "S3Client") -> Model:
        """Return the labels and the pixel parameters of the model that answers."""
        key = Keys(self.classifier).model_file(self.training_job)
        return parse_model(storage.read_written(s3, bucket=self.bucket, key=key), key=key)


def batches_prefix(classifier: str) -> str:
    """Return the prefix of all batches' objects."""
    return f"{Keys(classifier).evaluations}existing/"


def plan_batch(clients: Clients, target: Target, *, started_ms: int, shares: int) -> Batch:
    """Return the batch for the live model, with the settings of the live function.

    Raises:
        ResourceBusyError: endpoint and function are of different models: a deployment is under way.

    """
    described = clients.functions.get_function_configuration(
        FunctionName=function_name(target.classifier), Qualifier=ALIAS
    )
    variables = described["Environment"]["Variables"]
    serving = serving_model(clients.sagemaker, classifier=target.classifier)
    if serving is None or serving.training_job != variables["TRAINING_JOB"]:
        message = (
            f"The function of {target.classifier} expects the model of {variables['TRAINING_JOB']}, and the endpoint "
            f"serves {serving.training_job if serving else 'none'}: run this Dag again when the deployment has ended."
        )
        raise ResourceBusyError(message)
    unsure_below = variables["UNSURE_BELOW"]
    return Batch(
        classifier=target.classifier,
        bucket=target.bucket,
        started_ms=started_ms,
        shares=shares,
        training_job=serving.training_job,
        model=serving.model,
        endpoint=variables["ENDPOINT"],
        endpoint_config=serving.endpoint_config,
        unsure_below=None if unsure_below == "auto" else float(unsure_below),
        calibrate=variables.get("CALIBRATE") == "true",
    )


def time_limit_s(number: int, classifier: Classifier) -> int:
    """Return the job's time limit in seconds, at least the file's `evaluation.time_limit_s`."""
    s_per_image = S_PER_IMAGE * max(1.0, (classifier.hyperparameters.side_px / SIDE_PX) ** 2)
    if classifier.pixels.unmodified:
        s_per_image += S_PER_UNMODIFIED
    return max(classifier.evaluation.time_limit_s, round(START_S + number * s_per_image))


def check_budget(
    number: int, classifier: Classifier, *, usd_per_hour: float | None, max_cost_usd: float | None
) -> None:
    """Log what the batch costs at most, and check it.

    Raises:
        BudgetError: it may cost more than `max_cost_usd`, or the price of the machine is not known.

    """
    machine, limit_s = classifier.evaluation.instance_type, time_limit_s(number, classifier)
    if usd_per_hour is None:
        log.warning("The price of %s is not known", machine)
        if max_cost_usd is not None:
            message = (
                f"max_cost_usd is {max_cost_usd:g}, and the price of {machine} is not known: let the connection's role "
                "call pricing:GetProducts, or leave max_cost_usd empty. Nothing was started."
            )
            raise BudgetError(message)
        return
    cost = number * USD_PER_IMAGE + usd_per_hour * limit_s / SECONDS_AN_HOUR
    log.info("%d images on %s for at most %d s cost at most %.2f US dollars", number, machine, limit_s, cost)
    if max_cost_usd is not None and cost > max_cost_usd:
        message = (
            f"To classify {number:,} images by a transform job on {machine} may cost {cost:,.2f} US dollars, and "
            f"max_cost_usd is {max_cost_usd:g}. Raise it for this run, or name a prefix with fewer images. Nothing was "
            "started."
        )
        raise BudgetError(message)


def batch_request(s3: "S3Client", batch: Batch, classifier: Classifier) -> dict[str, Any]:
    """Write the manifest of all prepared images, and return the transform operator's config; empty without images.

    Returns:
        A dict of ``request`` (CreateTransformJob's), ``classifier`` and ``time_limit_s``.

    """
    parts = part_keys(s3, bucket=batch.bucket, prefix=batch.prefix)
    names = sorted(line["prepared"] for key in parts for line in read_part(s3, batch.bucket, key) if line["prepared"])
    if not names:
        return {}
    body = _manifest(names, prefix=f"s3://{batch.bucket}/{batch.images}")
    storage.write(s3, bucket=batch.bucket, key=batch.manifest, body=body, content_type="application/json")
    model = batch.read_model(s3)
    request = transform_request(
        classifier,
        model=batch.model,
        manifest_uri=f"s3://{batch.bucket}/{batch.manifest}",
        output_uri=f"s3://{batch.bucket}/{batch.output}",
        largest_bytes=largest_image_bytes(side_px=model.pixels.side_px, unmodified=model.unmodified),
    )
    return {"request": request, "classifier": batch.classifier, "time_limit_s": time_limit_s(len(names), classifier)}


def delete_batch(s3: "S3Client", batch: Batch) -> int:
    """Delete the prepared images, the answers and the lists of a batch; returns how many objects."""
    found = list(storage.list_objects(s3, bucket=batch.bucket, prefix=batch.prefix))
    storage.delete(s3, bucket=batch.bucket, keys=found)
    return len(found)


def _manifest(names: Sequence[str], *, prefix: str) -> bytes:
    return json.dumps([{"prefix": prefix}, *names]).encode()
