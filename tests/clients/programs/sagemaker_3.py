"""The life of a classifier with the SageMaker SDK, version 3: ModelTrainer and the resource classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_requests as requests
import boto3
from reporting import StepFailedError, configuration, expect, predictions, probabilities, step, until
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import (
    Endpoint,
    EndpointConfig,
    HyperParameterTuningJob,
    Model,
    ModelPackage,
    ModelPackageGroup,
    ProcessingJob,
    Tag,
    TrainingJob,
    TransformJob,
)
from sagemaker.core.shapes import (
    AlgorithmSpecification,
    Channel,
    CheckpointConfig,
    ContainerDefinition,
    DataSource,
    DesiredWeightAndCapacity,
    OutputDataConfig,
    ProductionVariant,
    ResourceConfig,
    S3DataSource,
    StoppingCondition,
)
from sagemaker.core.shapes import Tag as TagShape
from sagemaker.core.training.configs import Compute, InputData
from sagemaker.core.utils.exceptions import FailedStatusError
from sagemaker.core.utils.utils import pascal_to_snake
from sagemaker.train import ModelTrainer

SETTINGS = configuration()
BUCKET, PREFIX, DATA = SETTINGS["bucket"], SETTINGS["prefix"], Path(SETTINGS["data"])
SESSION = Session(boto_session=boto3.Session(), default_bucket=BUCKET)


def job_name(what: str) -> str:
    return f"{PREFIX}-{what}"


def trainers_role() -> str:
    """A role that may do everything: ModelTrainer asks IAM whether its role has rights that this job does not need."""
    iam, name = boto3.client("iam"), job_name("role")
    principal = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    trust, policy = (json.dumps({"Version": "2012-10-17", "Statement": [one]}) for one in (principal, everything))
    arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=policy)
    return arn


def channel(name: str, source: str, *, content_type: str) -> Channel:
    uri = source if source.startswith("s3://") else f"s3://{BUCKET}/{PREFIX}/data/{source}/"
    data = S3DataSource(s3_data_type="S3Prefix", s3_uri=uri, s3_data_distribution_type="FullyReplicated")
    kind = "application/x-sagemaker-model" if name == "model" else content_type
    return Channel(channel_name=name, content_type=kind, data_source=DataSource(s3_data_source=data))


def create(
    what: str, channels: dict[str, str], *, content_type: str = requests.IMAGES, more: Any = None, **options: str
) -> TrainingJob:
    given = {"stopping_condition": StoppingCondition(max_runtime_in_seconds=600)} | (more or {})
    made: TrainingJob = TrainingJob.create(
        training_job_name=job_name(what),
        role_arn=SETTINGS["role"],
        hyper_parameters=SETTINGS["hyperparameters"] | options,
        algorithm_specification=AlgorithmSpecification(training_image=SETTINGS["image"], training_input_mode="File"),
        input_data_config=[channel(name, source, content_type=content_type) for name, source in channels.items()],
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/{PREFIX}/models"),
        resource_config=ResourceConfig(instance_type=requests.INSTANCE, instance_count=1, volume_size_in_gb=10),
        **given,
    )
    return made


def train(what: str, channels: dict[str, str], **options: Any) -> TrainingJob:
    job = create(what, channels, **options)
    job.wait(poll=1)
    expect(job.training_job_status, "Completed", what="the job's status")
    return job


def artifact(what: str) -> str:
    return str(TrainingJob.get(job_name(what)).model_artifacts.s3_model_artifacts)


def prepare() -> None:
    with step("one address"):
        expect(SESSION.account_id(), "000000000000", what="the account")
    with step("upload"):
        for folder in (folder for folder in DATA.iterdir() if folder.is_dir()):
            SESSION.upload_data(str(folder), bucket=BUCKET, key_prefix=f"{PREFIX}/data/{folder.name}")
        keys = SESSION.list_s3_files(BUCKET, f"{PREFIX}/data/")
        expect(len(keys), sum(file.is_file() for file in DATA.rglob("*")), what="the number of objects")


def train_all() -> None:
    with step("train on four channels"):
        trainer = ModelTrainer(
            sagemaker_session=SESSION,
            training_image=SETTINGS["image"],
            role=trainers_role(),
            base_job_name=job_name("images"),
            compute=Compute(instance_type=requests.INSTANCE, instance_count=1),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
            output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/{PREFIX}/models"),
            hyperparameters=SETTINGS["hyperparameters"],
        )
        given = [
            InputData(
                channel_name=name,
                data_source=f"s3://{BUCKET}/{PREFIX}/data/{folder}/",
                content_type=requests.IMAGES,
            )
            for name, folder in requests.IMAGE_CHANNELS.items()
        ]
        trainer.train(input_data_config=given, wait=True, logs=False)
        job = trainer._latest_training_job  # the SDK's own documentation reads it so
        expect(job.training_job_status, "Completed", what="the job's status")
    with step("train on RecordIO"):
        train("records", requests.RECORD_CHANNELS, content_type=requests.RECORDS)
    with step("read the log"):
        TrainingJob.get(job_name("records")).wait(poll=1, logs=True)
    with step("attach to an ended job"):
        job = TrainingJob.get(job_name("records"))
        expect(job.hyper_parameters["num_classes"], "2", what="num_classes")
        expect(job.model_artifacts.s3_model_artifacts[:5], "s3://", what="the artifact")
        expect(job.final_metric_data_list[0].metric_name, "train:accuracy", what="the first metric")
    with step("incremental training"):
        # from the job's own class, since ModelTrainer adds a time to the name
        train("parent", requests.IMAGE_CHANNELS)
        train("incremental", requests.IMAGE_CHANNELS | {"model": artifact("parent")})
    with step("managed spot training"):
        more = {
            "enable_managed_spot_training": True,
            "stopping_condition": StoppingCondition(max_runtime_in_seconds=600, max_wait_time_in_seconds=900),
            "checkpoint_config": CheckpointConfig(s3_uri=f"s3://{BUCKET}/{PREFIX}/checkpoints/"),
        }
        job = train("spot", requests.IMAGE_CHANNELS, more=more)
        expect(job.billable_time_in_seconds <= job.training_time_in_seconds, True, what="the billable seconds")


def states() -> None:
    with step("read a running job"):
        job = create("stopped", requests.IMAGE_CHANNELS, epochs="500")
        until(lambda: job.refresh().secondary_status == "Training", what="Training")
        expect(job.training_job_status, "InProgress", what="the job's status")
    with step("stop a job"):
        job.stop()
        job.wait(poll=1)
        expect(job.refresh().training_job_status, "Stopped", what="the job's status")
    with step("read a failed job"):
        job = create("failed", requests.IMAGE_CHANNELS, num_classes="two")
        try:
            job.wait(poll=1)
        except FailedStatusError as error:
            expect("ClientError" in str(error), True, what=f"the reason in {str(error)!r}")
        else:
            raise StepFailedError("the SDK says nothing of the failure")
    with step("list by status and name"):
        found = sorted(
            job.training_job_name for job in TrainingJob.get_all(name_contains=PREFIX, status_equals="Stopped")
        )
        expect(found, [job_name("stopped")], what="the stopped jobs")
    with step("tags"):
        arn = TrainingJob.get(job_name("records")).training_job_arn
        Tag.add_tags(resource_arn=arn, tags=[TagShape(key="team", value="a")])
        expect([(tag.key, tag.value) for tag in Tag.get_all(resource_arn=arn)], [("team", "a")], what="the tags")
        Tag.delete_tags(resource_arn=arn, tag_keys=["team"])
        expect(list(Tag.get_all(resource_arn=arn)), [], what="the tags")


def put_model(what: str) -> EndpointConfig:
    container = ContainerDefinition(image=SETTINGS["image"], model_data_url=artifact(what))
    Model.create(model_name=job_name(what), primary_container=container, execution_role_arn=SETTINGS["role"])
    variant = ProductionVariant(
        variant_name="all", model_name=job_name(what), instance_type="ml.m5.large", initial_instance_count=1
    )
    return EndpointConfig.create(endpoint_config_name=job_name(what), production_variants=[variant])


def serve() -> None:
    with step("deploy"):
        put_model("records")
        put_model("incremental")
        endpoint = Endpoint.create(endpoint_name=PREFIX, endpoint_config_name=job_name("records"))
        endpoint.wait_for_status("InService", poll=1)
    with step("invoke"):
        body = (DATA / "incoming" / "0.jpg").read_bytes()
        answer = endpoint.invoke(body=body, content_type="application/x-image")
        probabilities(answer.body.read())
    with step("update the endpoint"):
        endpoint.endpoint_config_name = job_name("incremental")
        endpoint.update()
        endpoint.wait_for_status("InService", poll=1)
        expect(endpoint.endpoint_config_name, job_name("incremental"), what="the endpoint config")
    with step("weights and capacities"):
        change = DesiredWeightAndCapacity(variant_name="all", desired_weight=0.5, desired_instance_count=2)
        endpoint.update_weights_and_capacities(desired_weights_and_capacities=[change])
        endpoint.wait_for_status("InService", poll=1)
        (variant,) = endpoint.refresh().production_variants
        expect((variant.current_instance_count, variant.current_weight), (2, 0.5), what="the variant")
    more_jobs()
    with step("delete"):
        endpoint.delete()
        endpoint.wait_for_delete(poll=1)
        for what in ("records", "incremental"):
            EndpointConfig.get(job_name(what)).delete()
            Model.get(job_name(what)).delete()
        expect([found.model_name for found in Model.get_all(name_contains=PREFIX)], [], what="the models")


def more_jobs() -> None:
    s3 = boto3.client("s3")

    def body(key: str) -> bytes:
        found: bytes = s3.get_object(Bucket=BUCKET, Key=f"{PREFIX}/{key}")["Body"].read()
        return found

    with step("batch transform"):
        request = requests.transform_job(SETTINGS, job_name("transformed"), job_name("records"))
        TransformJob.create(**in_snake_case(request)).wait(poll=1)
        for number in range(2):
            predictions(body(f"transformed/{number}.jpg.out"))
    with step("hyperparameter tuning"):
        job = HyperParameterTuningJob.create(**in_snake_case(requests.tuning_job(SETTINGS, job_name("tuned"))))
        job.wait(poll=1)
        expect(job.training_job_status_counters.completed, 2, what="the number of training jobs")
        expect(len(list(job.get_all_training_jobs())), 2, what="the training jobs listed")
    with step("register"):
        ModelPackageGroup.create(model_package_group_name=PREFIX)
        request = requests.model_package(SETTINGS, PREFIX, artifact("records"))
        package = ModelPackage.create(**in_snake_case(request))
        package.update(model_approval_status="Approved")
        expect(package.refresh().model_approval_status, "Approved", what="the approval")
    with step("processing"):
        request = requests.processing_job(SETTINGS, job_name("counted"))
        ProcessingJob.create(**in_snake_case(request)).wait(poll=1)
        expect(body("counted/count.json"), b'{"files": 2}', what="the output")


def in_snake_case(request: Any) -> Any:
    """A request of the API as the SDK's classes take it; the names of hyperparameters are in snake case already."""
    if isinstance(request, dict):
        return {pascal_to_snake(key): in_snake_case(value) for key, value in request.items()}
    return [in_snake_case(item) for item in request] if isinstance(request, list) else request


if __name__ == "__main__":
    for part in (prepare, train_all, states, serve):
        part()
