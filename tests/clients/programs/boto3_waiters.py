"""The life of a classifier with boto3 and its waiters."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import aws_requests as requests
import boto3
from botocore.exceptions import ClientError
from reporting import StepFailedError, configuration, expect, predictions, probabilities, step, until

SETTINGS = configuration()
BUCKET, PREFIX, DATA = SETTINGS["bucket"], SETTINGS["prefix"], Path(SETTINGS["data"])
LOGS, METRICS = "/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TrainingJobs"
WAIT = {"Delay": 1, "MaxAttempts": 300}
s3, sagemaker, runtime = (boto3.client(name) for name in ("s3", "sagemaker", "sagemaker-runtime"))


def job_name(what: str) -> str:
    return f"{PREFIX}-{what}"


def train(what: str, channels: dict[str, str], *, more: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    request = requests.training_job(SETTINGS, job_name(what), channels, **options) | (more or {})
    sagemaker.create_training_job(**request)
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=job_name(what), WaiterConfig=WAIT)
    job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=job_name(what))
    expect(job["TrainingJobStatus"], "Completed", what="the job's status")
    s3.head_object(Bucket=BUCKET, Key=job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/"))
    return job


def artifact(what: str) -> str:
    job = sagemaker.describe_training_job(TrainingJobName=job_name(what))
    return str(job["ModelArtifacts"]["S3ModelArtifacts"])


def refusal(call: Any, **request: Any) -> dict[str, Any]:
    try:
        call(**request)
    except ClientError as error:
        found: dict[str, Any] = error.response["Error"] | {
            "Status": error.response["ResponseMetadata"]["HTTPStatusCode"]
        }
        return found
    raise StepFailedError(f"{request} was accepted")


def prepare() -> None:
    with step("one address"):
        expect(boto3.client("sts").get_caller_identity()["Account"], "000000000000", what="the account")
        expect("TrainingJobSummaries" in sagemaker.list_training_jobs(), True, what="a list of training jobs")
    with step("upload"):
        files = [file for file in DATA.rglob("*") if file.is_file()]
        for file in files:
            s3.upload_file(str(file), BUCKET, f"{PREFIX}/data/{file.relative_to(DATA).as_posix()}")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{PREFIX}/data/")
        sizes = sorted(item["Size"] for page in pages for item in page["Contents"])
        expect(sizes, sorted(file.stat().st_size for file in files), what="the sizes of the objects")


def train_all() -> None:
    with step("train on four channels"):
        train("images", requests.IMAGE_CHANNELS)
    with step("read the log"):
        found = boto3.client("logs").filter_log_events(
            logGroupName=LOGS, logStreamNamePrefix=f"{job_name('images')}/", filterPattern="Validation"
        )
        expect(bool(found["events"]), True, what="log lines about the validation")
    with step("training metrics"):
        expect(metric_values() > 0, True, what="values of validation:accuracy")
    with step("train on RecordIO"):
        train("records", requests.RECORD_CHANNELS, content_type=requests.RECORDS)
    with step("transfer learning"):
        train("transfer", requests.IMAGE_CHANNELS, use_pretrained_model="1", num_layers="18")
    with step("incremental training"):
        train("incremental", requests.IMAGE_CHANNELS | {"model": artifact("images")})
    with step("multi-label"):
        train("multi", requests.MULTI_LABEL_CHANNELS, multi_label="1")
    with step("managed spot training"):
        request = requests.training_job(SETTINGS, job_name("spot"), requests.IMAGE_CHANNELS)
        job = train("spot", requests.IMAGE_CHANNELS, more=requests.spot(SETTINGS, request))
        expect(job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"], True, what="the billable seconds")


def metric_values() -> float:
    job = sagemaker.describe_training_job(TrainingJobName=job_name("images"))
    points = boto3.client("cloudwatch").get_metric_statistics(
        Namespace=METRICS,
        MetricName="validation:accuracy",
        Dimensions=[{"Name": "TrainingJobName", "Value": job_name("images")}],
        StartTime=job["TrainingStartTime"],
        EndTime=job["TrainingEndTime"] + datetime.timedelta(minutes=1),
        Period=60,
        Statistics=["SampleCount"],
    )["Datapoints"]
    return float(sum(point["SampleCount"] for point in points))


def states() -> None:
    with step("read a running job"):
        request = requests.training_job(SETTINGS, job_name("stopped"), requests.IMAGE_CHANNELS, epochs="500")
        sagemaker.create_training_job(**request)
        job = until(lambda: running("stopped"), what="Training")
        expect("ModelArtifacts" in job, False, what="ModelArtifacts of a running job")
    with step("stop a job"):
        sagemaker.stop_training_job(TrainingJobName=job_name("stopped"))
        name = {"TrainingJobName": job_name("stopped")}
        sagemaker.get_waiter("training_job_completed_or_stopped").wait(**name, WaiterConfig=WAIT)
        expect(sagemaker.describe_training_job(**name)["TrainingJobStatus"], "Stopped", what="the job's status")
    with step("read a failed job"):
        request = requests.training_job(SETTINGS, job_name("failed"), requests.IMAGE_CHANNELS, num_classes="two")
        sagemaker.create_training_job(**request)
        job = until(lambda: ended("failed"), what="the end of the job")
        expect((job["TrainingJobStatus"], job["FailureReason"][:11]), ("Failed", "ClientError"), what="the reason")
    with step("retry strategy"):
        job = train("retried", requests.IMAGE_CHANNELS, more={"RetryStrategy": {"MaximumRetryAttempts": 2}})
        expect(job["RetryStrategy"], {"MaximumRetryAttempts": 2}, what="RetryStrategy")
    with step("list by status and name"):
        pages = sagemaker.get_paginator("list_training_jobs").paginate(
            NameContains=PREFIX, StatusEquals="Completed", PaginationConfig={"PageSize": 2}
        )
        names = sorted(job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"])
        wanted = ("images", "records", "transfer", "incremental", "multi", "spot", "retried")
        expect(names, sorted(map(job_name, wanted)), what="the completed jobs")
    with step("tags"):
        arn = sagemaker.describe_training_job(TrainingJobName=job_name("images"))["TrainingJobArn"]
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "a"}, {"Key": "step", "Value": "b"}])
        sagemaker.delete_tags(ResourceArn=arn, TagKeys=["step"])
        expect(sagemaker.list_tags(ResourceArn=arn)["Tags"], [{"Key": "team", "Value": "a"}], what="the tags")


def running(what: str) -> dict[str, Any] | None:
    job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=job_name(what))
    return job if job["SecondaryStatus"] == "Training" else None


def ended(what: str) -> dict[str, Any] | None:
    job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=job_name(what))
    return job if job["TrainingJobStatus"] not in ("InProgress", "Stopping") else None


def serve() -> None:
    name = {"EndpointName": PREFIX}
    in_service = sagemaker.get_waiter("endpoint_in_service")
    with step("deploy"):
        for what in ("images", "incremental"):
            sagemaker.create_model(**requests.model(SETTINGS, job_name(what), artifact(what)))
            sagemaker.create_endpoint_config(**requests.endpoint_config(job_name(what), job_name(what)))
        sagemaker.create_endpoint(**name, EndpointConfigName=job_name("images"))
        in_service.wait(**name, WaiterConfig=WAIT)
    with step("invoke"):
        body = (DATA / "incoming" / "0.jpg").read_bytes()
        answer = runtime.invoke_endpoint(**name, ContentType="application/x-image", Body=body)
        probabilities(answer["Body"].read())
    with step("bad image"):
        error = refusal(runtime.invoke_endpoint, **name, ContentType="application/x-image", Body=b"no image")
        expect((error["Code"], error["Status"]), ("ModelError", 424), what="the error")
    with step("update the endpoint"):
        sagemaker.update_endpoint(**name, EndpointConfigName=job_name("incremental"))
        in_service.wait(**name, WaiterConfig=WAIT)
        found = sagemaker.describe_endpoint(**name)["EndpointConfigName"]
        expect(found, job_name("incremental"), what="the endpoint config")
    with step("weights and capacities"):
        change = {"VariantName": "all", "DesiredWeight": 0.5, "DesiredInstanceCount": 2}
        sagemaker.update_endpoint_weights_and_capacities(**name, DesiredWeightsAndCapacities=[change])
        in_service.wait(**name, WaiterConfig=WAIT)
        (variant,) = sagemaker.describe_endpoint(**name)["ProductionVariants"]
        expect((variant["CurrentInstanceCount"], variant["CurrentWeight"]), (2, 0.5), what="the variant")


def more_jobs() -> None:
    with step("batch transform"):
        name = {"TransformJobName": job_name("transformed")}
        sagemaker.create_transform_job(**requests.transform_job(SETTINGS, name["TransformJobName"], job_name("images")))
        sagemaker.get_waiter("transform_job_completed_or_stopped").wait(**name, WaiterConfig=WAIT)
        for number in range(2):
            predictions(body(f"transformed/{number}.jpg.out"))
    with step("hyperparameter tuning"):
        sagemaker.create_hyper_parameter_tuning_job(**requests.tuning_job(SETTINGS, job_name("tuned")))
        job = until(tuned, what="the end of the tuning job")
        expect(job["HyperParameterTuningJobStatus"], "Completed", what="the tuning job's status")
        expect(job["TrainingJobStatusCounters"]["Completed"], 2, what="the number of training jobs")
        best = job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]
        expect(best["MetricName"], "validation:accuracy", what="the objective of the best")
    with step("register"):
        group = {"ModelPackageGroupName": PREFIX}
        sagemaker.create_model_package_group(**group)
        request = requests.model_package(SETTINGS, PREFIX, artifact("images"))
        arn = sagemaker.create_model_package(**request)["ModelPackageArn"]
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
        (package,) = sagemaker.list_model_packages(**group)["ModelPackageSummaryList"]
        found = (package["ModelPackageVersion"], package["ModelApprovalStatus"])
        expect(found, (1, "Approved"), what="version and approval")
    with step("processing"):
        name = {"ProcessingJobName": job_name("counted")}
        sagemaker.create_processing_job(**requests.processing_job(SETTINGS, name["ProcessingJobName"]))
        sagemaker.get_waiter("processing_job_completed_or_stopped").wait(**name, WaiterConfig=WAIT)
        expect(body("counted/count.json"), b'{"files": 2}', what="the output")


def body(key: str) -> bytes:
    found: bytes = s3.get_object(Bucket=BUCKET, Key=f"{PREFIX}/{key}")["Body"].read()
    return found


def tuned() -> dict[str, Any] | None:
    job: dict[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=job_name("tuned"))
    return job if job["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping") else None


def refusals() -> None:
    with step("notification AWS refuses"):
        function_arn = "arn:aws:lambda:us-east-1:000000000000:function:none"
        for what, request in requests.refused_notifications(function_arn).items():
            put = s3.put_bucket_notification_configuration
            error = refusal(put, Bucket=BUCKET, NotificationConfiguration=request)
            expect(error["Code"], "InvalidArgument", what=f"the answer to {what}")
    with step("a service that is not there"):
        error = refusal(boto3.client("workspaces").describe_workspaces)
        expect("workspaces" in error["Message"] and bool(error["Code"]), True, what="an error that names the service")


def delete() -> None:
    with step("delete"):
        sagemaker.delete_endpoint(EndpointName=PREFIX)
        sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=PREFIX, WaiterConfig=WAIT)
        for what in ("images", "incremental"):
            sagemaker.delete_endpoint_config(EndpointConfigName=job_name(what))
            sagemaker.delete_model(ModelName=job_name(what))
        code = refusal(sagemaker.describe_model, ModelName=job_name("images"))["Code"]
        expect(code, "ValidationException", what="the answer to a deleted model")


if __name__ == "__main__":
    for part in (prepare, train_all, states, serve, more_jobs, refusals, delete):
        part()
