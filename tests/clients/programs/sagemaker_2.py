"""The life of a classifier with the SageMaker SDK, version 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_requests as requests
import boto3
import sagemaker
from botocore.exceptions import ClientError
from reporting import StepFailedError, configuration, expect, predictions, probabilities, step, until
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor
from sagemaker.serializers import IdentitySerializer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner

SETTINGS = configuration()
BUCKET, PREFIX, DATA = SETTINGS["bucket"], SETTINGS["prefix"], Path(SETTINGS["data"])
SESSION = sagemaker.Session(boto_session=boto3.Session(), default_bucket=BUCKET)
CLIENT = SESSION.sagemaker_client


def job_name(what: str) -> str:
    return f"{PREFIX}-{what}"


def estimator(hyperparameters: dict[str, str] | None = None, **options: Any) -> Estimator:
    return Estimator(
        image_uri=SETTINGS["image"],
        role=SETTINGS["role"],
        instance_count=1,
        instance_type=requests.INSTANCE,
        output_path=f"s3://{BUCKET}/{PREFIX}/models",
        sagemaker_session=SESSION,
        hyperparameters=SETTINGS["hyperparameters"] | (hyperparameters or {}),
        max_run=600,
        **options,
    )


def inputs(channels: dict[str, str], *, content_type: str = requests.IMAGES) -> dict[str, TrainingInput]:
    return {
        name: TrainingInput(f"s3://{BUCKET}/{PREFIX}/data/{folder}/", content_type=content_type)
        for name, folder in channels.items()
    }


def train(what: str, made: Estimator, given: dict[str, TrainingInput], *, logs: Any = False) -> Estimator:
    made.fit(given, job_name=job_name(what), wait=True, logs=logs)
    bucket, key = made.model_data.removeprefix("s3://").split("/", 1)
    SESSION.boto_session.client("s3").head_object(Bucket=bucket, Key=key)
    return made


def describe(what: str) -> dict[str, Any]:
    found: dict[str, Any] = SESSION.describe_training_job(job_name(what))
    return found


def prepare() -> None:
    with step("one address"):
        expect(SESSION.account_id(), "000000000000", what="the account")
    with step("upload"):
        for folder in (folder for folder in DATA.iterdir() if folder.is_dir()):
            SESSION.upload_data(str(folder), bucket=BUCKET, key_prefix=f"{PREFIX}/data/{folder.name}")
        keys = SESSION.list_s3_files(BUCKET, f"{PREFIX}/data/")
        expect(len(keys), sum(file.is_file() for file in DATA.rglob("*")), what="the number of objects")


def train_all() -> None:
    images = inputs(requests.IMAGE_CHANNELS)
    with step("train on four channels"):
        train("images", estimator(), images)
    with step("read the log"):
        SESSION.logs_for_job(job_name("images"), wait=False)
    with step("attach to an ended job"):
        attached = Estimator.attach(job_name("images"), sagemaker_session=SESSION)
        expect(attached.model_data, describe("images")["ModelArtifacts"]["S3ModelArtifacts"], what="the artifact")
        expect(attached.hyperparameters()["num_classes"], "2", what="num_classes")
    with step("training metrics"):
        frame = TrainingJobAnalytics(job_name("images"), sagemaker_session=SESSION).dataframe()
        expect("validation:accuracy" in set(frame["metric_name"]), True, what="validation:accuracy in the data frame")
    with step("train on RecordIO"):
        train("records", estimator(), inputs(requests.RECORD_CHANNELS, content_type=requests.RECORDS))
    with step("transfer learning"):
        train("transfer", estimator({"use_pretrained_model": "1", "num_layers": "18"}), images)
    with step("incremental training"):
        train("incremental", estimator(model_uri=describe("images")["ModelArtifacts"]["S3ModelArtifacts"]), images)
    with step("multi-label"):
        train("multi", estimator({"multi_label": "1"}), inputs(requests.MULTI_LABEL_CHANNELS))
    with step("managed spot training"):
        options = {"use_spot_instances": True, "max_wait": 900}
        made = estimator(checkpoint_s3_uri=f"s3://{BUCKET}/{PREFIX}/checkpoints/", **options)
        train("spot", made, images)
        job = describe("spot")
        expect(job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"], True, what="the billable seconds")


def states() -> None:
    images = inputs(requests.IMAGE_CHANNELS)
    running = estimator({"epochs": "500"})
    with step("read a running job"):
        running.fit(images, job_name=job_name("stopped"), wait=False)
        until(lambda: describe("stopped")["SecondaryStatus"] == "Training", what="Training")
        expect(running.latest_training_job.describe()["TrainingJobStatus"], "InProgress", what="the job's status")
    with step("stop a job"):
        running.latest_training_job.stop()
        # The SDK's wait_for_job takes Stopping for the end of a job, on AWS too.
        until(lambda: describe("stopped")["TrainingJobStatus"] == "Stopped", what="Stopped")
    with step("read a failed job"):
        try:
            estimator({"num_classes": "two"}).fit(images, job_name=job_name("failed"), wait=True, logs=False)
        except sagemaker.exceptions.UnexpectedStatusException as error:
            expect("Failed. Reason: ClientError" in str(error), True, what=f"the reason in {str(error)!r}")
        else:
            raise StepFailedError("the SDK says nothing of the failure")
    with step("retry strategy"):
        train("retried", estimator(max_retry_attempts=2), images)
        expect(describe("retried")["RetryStrategy"], {"MaximumRetryAttempts": 2}, what="RetryStrategy")
    with step("tags"):
        arn = describe("images")["TrainingJobArn"]
        CLIENT.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "a"}])
        expect(SESSION.list_tags(arn), [{"Key": "team", "Value": "a"}], what="the tags")
        CLIENT.delete_tags(ResourceArn=arn, TagKeys=["team"])
        expect(SESSION.list_tags(arn), [], what="the tags")


def predictor_of(what: str, **options: Any) -> Any:
    attached = Estimator.attach(job_name(what), sagemaker_session=SESSION)
    return attached.deploy(
        initial_instance_count=1,
        instance_type="ml.m5.large",
        endpoint_name=PREFIX,
        model_name=job_name(what),
        serializer=IdentitySerializer(content_type="application/x-image"),
        deserializer=JSONDeserializer(),
        **options,
    )


def serve() -> None:
    image = (DATA / "incoming" / "0.jpg").read_bytes()
    with step("deploy"):
        predictor = predictor_of("images")
    with step("invoke"):
        answer = predictor.predict(image)
        probabilities(str(answer))
    with step("bad image"):
        try:
            predictor.predict(b"no image")
        except ClientError as error:
            expect(error.response["Error"]["Code"], "ModelError", what="the error")
        else:
            raise StepFailedError("the SDK accepts bytes that are no image")
    with step("update the endpoint"):
        attached = Estimator.attach(job_name("incremental"), sagemaker_session=SESSION)
        model = attached.create_model(name=job_name("incremental"))
        model.create(instance_type="ml.m5.large")
        predictor.update_endpoint(
            initial_instance_count=1, instance_type="ml.m5.large", model_name=job_name("incremental")
        )
        config = CLIENT.describe_endpoint(EndpointName=PREFIX)["EndpointConfigName"]
        (variant,) = CLIENT.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        expect(variant["ModelName"], job_name("incremental"), what="the model that serves")
    more_jobs()
    with step("delete"):
        predictor.delete_model()
        predictor.delete_endpoint(delete_endpoint_config=True)
        until(gone, what="the end of the endpoint")


def more_jobs() -> None:
    below = f"s3://{BUCKET}/{PREFIX}"
    attached = Estimator.attach(job_name("incremental"), sagemaker_session=SESSION)
    with step("batch transform"):
        transformer = attached.transformer(
            instance_count=1,
            instance_type="ml.m5.large",
            output_path=f"{below}/transformed",
            model_name=job_name("transformed"),
        )
        transformer.transform(f"{below}/data/incoming/", content_type=requests.IMAGES, wait=True, logs=False)
        for number in range(2):
            predictions(SESSION.read_s3_file(BUCKET, f"{PREFIX}/transformed/{number}.jpg.out"))
    with step("hyperparameter tuning"):
        ranges = {"learning_rate": ContinuousParameter(0.001, 0.1, scaling_type="Logarithmic")}
        tuner = HyperparameterTuner(
            estimator(), "validation:accuracy", ranges, strategy="Random", max_jobs=2, max_parallel_jobs=1
        )
        tuner.fit(inputs(requests.IMAGE_CHANNELS), job_name=job_name("tuned"), include_cls_metadata=False, wait=True)
        expect(len(tuner.analytics().dataframe()), 2, what="the number of training jobs")
        expect(tuner.best_training_job().startswith(job_name("tuned")), True, what="the name of the best")
    with step("register"):
        package = attached.register(
            content_types=[requests.IMAGES],
            response_types=["application/json"],
            inference_instances=["ml.m5.large"],
            transform_instances=["ml.m5.large"],
            model_package_group_name=PREFIX,
            approval_status="Approved",
        )
        found = CLIENT.describe_model_package(ModelPackageName=package.model_package_arn)
        expect(found["ModelApprovalStatus"], "Approved", what="the approval")
    with step("processing"):
        processor = Processor(SETTINGS["role"], SETTINGS["counting_image"], 1, "ml.m5.large", sagemaker_session=SESSION)
        processor.run(
            inputs=[ProcessingInput(source=f"{below}/data/incoming/", destination=requests.PROCESSING_INPUT)],
            outputs=[ProcessingOutput(source=requests.PROCESSING_OUTPUT, destination=f"{below}/counted")],
            arguments=[requests.PROCESSING_INPUT, requests.PROCESSING_OUTPUT],
            job_name=job_name("counted"),
            logs=False,
        )
        found = SESSION.read_s3_file(BUCKET, f"{PREFIX}/counted/count.json")
        expect(found, '{"files": 2}', what="the output")


def gone() -> bool:
    try:
        CLIENT.describe_endpoint(EndpointName=PREFIX)
    except ClientError as error:
        return "Could not find endpoint" in str(error)
    return False


if __name__ == "__main__":
    for part in (prepare, train_all, states, serve):
        part()
