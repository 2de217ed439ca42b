"""The life of a classifier with the AWS CLI."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_requests as requests
from reporting import StepFailedError, configuration, expect, predictions, probabilities, step, until

SETTINGS = configuration()
BUCKET, PREFIX, DATA = SETTINGS["bucket"], SETTINGS["prefix"], Path(SETTINGS["data"])
AWS = Path(sys.executable).with_name("aws")
LOGS = METRICS = "/aws/sagemaker/TrainingJobs"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(AWS), "--output", "json", *words],
        capture_output=True,
        text=True,
        check=False,
    )


def aws(*words: str, request: dict[str, Any] | None = None) -> Any:
    """What the CLI prints for a command that must succeed; `request` goes in as --cli-input-json."""
    done = run(*words, *(["--cli-input-json", json.dumps(request)] if request else []))
    if done.returncode != 0:
        raise StepFailedError(f"aws {' '.join(words)}: {done.stderr.strip()}")
    return json.loads(done.stdout) if done.stdout.strip().startswith(("{", "[")) else done.stdout


def refusal(*words: str, request: dict[str, Any] | None = None) -> str:
    """What the CLI says of a command that AWS refuses."""
    done = run(*words, *(["--cli-input-json", json.dumps(request)] if request else []))
    expect(done.returncode in (0, None), False, what=f"the success of aws {' '.join(words)}")
    return done.stderr


def job_name(what: str) -> str:
    return f"{PREFIX}-{what}"


def describe(what: str) -> dict[str, Any]:
    found: dict[str, Any] = aws("sagemaker", "describe-training-job", "--training-job-name", job_name(what))
    return found


def ended(what: str) -> dict[str, Any] | None:
    job = describe(what)
    return job if job["TrainingJobStatus"] not in ("InProgress", "Stopping") else None


def start(what: str, channels: dict[str, str], *, more: dict[str, Any] | None = None, **options: Any) -> None:
    request = requests.training_job(SETTINGS, job_name(what), channels, **options) | (more or {})
    aws("sagemaker", "create-training-job", request=request)


def train(what: str, channels: dict[str, str], *, more: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    start(what, channels, more=more, **options)
    until(lambda: ended(what), what="the end of the job")  # the CLI's waiter looks every 120 s
    aws("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", job_name(what))
    job = describe(what)
    expect(job["TrainingJobStatus"], "Completed", what="the job's status")
    aws("s3", "ls", job["ModelArtifacts"]["S3ModelArtifacts"])
    return job


def artifact(what: str) -> str:
    return str(describe(what)["ModelArtifacts"]["S3ModelArtifacts"])


def prepare() -> None:
    with step("one address"):
        expect(aws("sts", "get-caller-identity")["Account"], "000000000000", what="the account")
        expect("TrainingJobSummaries" in aws("sagemaker", "list-training-jobs"), True, what="a list of training jobs")
    with step("upload"):
        aws("s3", "sync", str(DATA), f"s3://{BUCKET}/{PREFIX}/data/")
        expect(aws("s3", "sync", str(DATA), f"s3://{BUCKET}/{PREFIX}/data/"), "", what="a second sync")


def train_all() -> None:
    with step("train on four channels"):
        train("images", requests.IMAGE_CHANNELS)
    with step("read the log"):
        stream = ("--log-stream-name-prefix", f"{job_name('images')}/")
        found = aws("logs", "filter-log-events", "--log-group-name", LOGS, *stream)["events"]
        expect(any("Validation-accuracy" in event["message"] for event in found), True, what="a line of the log")
        expect({event["logStreamName"].split("/")[0] for event in found}, {job_name("images")}, what="the streams")
    with step("training metrics"):
        job = describe("images")
        values = aws(
            *("cloudwatch", "get-metric-statistics", "--namespace", METRICS, "--metric-name", "validation:accuracy"),
            *("--dimensions", f"Name=TrainingJobName,Value={job_name('images')}", "--period", "60"),
            *("--start-time", str(job["TrainingStartTime"]), "--end-time", str(job["LastModifiedTime"])),
            *("--statistics", "SampleCount"),
        )["Datapoints"]
        expect(bool(values), True, what="values of validation:accuracy")
    with step("train on RecordIO"):
        train("records", requests.RECORD_CHANNELS, content_type=requests.RECORDS)
    with step("incremental training"):
        train("incremental", requests.IMAGE_CHANNELS | {"model": artifact("images")})
    with step("managed spot training"):
        request = requests.training_job(SETTINGS, job_name("spot"), requests.IMAGE_CHANNELS)
        job = train("spot", requests.IMAGE_CHANNELS, more=requests.spot(SETTINGS, request))
        expect(job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"], True, what="the billable seconds")


def states() -> None:
    with step("read a running job"):
        start("stopped", requests.IMAGE_CHANNELS, epochs="500")
        until(lambda: describe("stopped")["SecondaryStatus"] == "Training", what="Training")
        expect("ModelArtifacts" in describe("stopped"), False, what="ModelArtifacts of a running job")
    with step("stop a job"):
        aws("sagemaker", "stop-training-job", "--training-job-name", job_name("stopped"))
        job = until(lambda: ended("stopped"), what="the end of the job")
        expect(job["TrainingJobStatus"], "Stopped", what="the job's status")
    with step("read a failed job"):
        start("failed", requests.IMAGE_CHANNELS, num_classes="two")
        until(lambda: ended("failed"), what="the end of the job")
        said = refusal(
            *("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", job_name("failed"))
        )
        expect('matched expected path: "Failed"' in said, True, what="what the waiter says")
        expect(describe("failed")["FailureReason"][:11], "ClientError", what="the reason")
    with step("retry strategy"):
        job = train("retried", requests.IMAGE_CHANNELS, more={"RetryStrategy": {"MaximumRetryAttempts": 2}})
        expect(job["RetryStrategy"], {"MaximumRetryAttempts": 2}, what="RetryStrategy")
    with step("list by status and name"):
        found = aws(
            *("sagemaker", "list-training-jobs", "--name-contains", PREFIX, "--status-equals", "Completed"),
            *("--page-size", "2", "--query", "TrainingJobSummaries[].TrainingJobName"),
        )
        wanted = ("images", "records", "incremental", "spot", "retried")
        expect(sorted(found), sorted(map(job_name, wanted)), what="the completed jobs")
    with step("tags"):
        arn = describe("images")["TrainingJobArn"]
        aws("sagemaker", "add-tags", "--resource-arn", arn, "--tags", "Key=team,Value=a", "Key=step,Value=b")
        aws("sagemaker", "delete-tags", "--resource-arn", arn, "--tag-keys", "step")
        tags = aws("sagemaker", "list-tags", "--resource-arn", arn)["Tags"]
        expect(tags, [{"Key": "team", "Value": "a"}], what="the tags")


def endpoint() -> dict[str, Any]:
    found: dict[str, Any] = aws("sagemaker", "describe-endpoint", "--endpoint-name", PREFIX)
    return found


def wait_for_endpoint() -> None:
    until(lambda: endpoint()["EndpointStatus"] in ("InService", "Failed"), what="InService")  # the waiter: every 30 s
    aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", PREFIX)


def invoke(file: Path, answer: Path) -> tuple[str, ...]:
    return (
        *("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", PREFIX, "--content-type", "application/x-image"),
        *("--body", f"fileb://{file}", str(answer)),
    )


def serve() -> None:
    answer = DATA.parent / "aws-cli-answer.json"
    with step("deploy"):
        for what in ("images", "incremental"):
            aws("sagemaker", "create-model", request=requests.model(SETTINGS, job_name(what), artifact(what)))
            config = requests.endpoint_config(job_name(what), job_name(what))
            aws("sagemaker", "create-endpoint-config", request=config)
        names = ("--endpoint-name", PREFIX, "--endpoint-config-name", job_name("images"))
        aws("sagemaker", "create-endpoint", *names)
        wait_for_endpoint()
    with step("invoke"):
        aws(*invoke(DATA / "incoming" / "0.jpg", answer))
        probabilities(answer.read_text())
    with step("bad image"):
        bad = DATA.parent / "no-image.txt"
        bad.write_text("no image")
        said = refusal(*invoke(bad, answer))
        expect("(ModelError)" in said and "client error (400)" in said, True, what=f"ModelError in {said!r}")
    with step("update the endpoint"):
        names = ("--endpoint-name", PREFIX, "--endpoint-config-name", job_name("incremental"))
        aws("sagemaker", "update-endpoint", *names)
        wait_for_endpoint()
        expect(endpoint()["EndpointConfigName"], job_name("incremental"), what="the endpoint config")
    with step("weights and capacities"):
        change = "VariantName=all,DesiredWeight=0.5,DesiredInstanceCount=2"
        words = ("--endpoint-name", PREFIX, "--desired-weights-and-capacities", change)
        aws("sagemaker", "update-endpoint-weights-and-capacities", *words)
        wait_for_endpoint()
        (variant,) = endpoint()["ProductionVariants"]
        expect((variant["CurrentInstanceCount"], variant["CurrentWeight"]), (2, 0.5), what="the variant")


def more_jobs() -> None:
    with step("batch transform"):
        request = requests.transform_job(SETTINGS, job_name("transformed"), job_name("images"))
        aws("sagemaker", "create-transform-job", request=request)
        wait("transform-job", job_name("transformed"), status="TransformJobStatus")
        for number in range(2):
            predictions(body(f"transformed/{number}.jpg.out"))
    with step("hyperparameter tuning"):
        aws("sagemaker", "create-hyper-parameter-tuning-job", request=requests.tuning_job(SETTINGS, job_name("tuned")))
        job = over("hyper-parameter-tuning-job", job_name("tuned"), status="HyperParameterTuningJobStatus")
        expect(job["HyperParameterTuningJobStatus"], "Completed", what="the tuning job's status")
        name = ("--hyper-parameter-tuning-job-name", job_name("tuned"))
        jobs = aws("sagemaker", "list-training-jobs-for-hyper-parameter-tuning-job", *name)["TrainingJobSummaries"]
        expect(len(jobs), 2, what="the number of training jobs")
    with step("register"):
        aws("sagemaker", "create-model-package-group", "--model-package-group-name", PREFIX)
        request = requests.model_package(SETTINGS, PREFIX, artifact("images"))
        arn = aws("sagemaker", "create-model-package", request=request)["ModelPackageArn"]
        approval = ("--model-approval-status", "Approved")
        aws("sagemaker", "update-model-package", "--model-package-arn", arn, *approval)
        found = aws("sagemaker", "describe-model-package", "--model-package-name", arn)["ModelApprovalStatus"]
        expect(found, "Approved", what="the approval")
    with step("processing"):
        request = requests.processing_job(SETTINGS, job_name("counted"))
        aws("sagemaker", "create-processing-job", request=request)
        wait("processing-job", job_name("counted"), status="ProcessingJobStatus")
        expect(body("counted/count.json"), '{"files": 2}', what="the output")


def over(kind: str, name: str, *, status: str) -> dict[str, Any]:
    """The job when it has ended; the waiters of the CLI look every 60 s."""

    def ended_job() -> dict[str, Any] | None:
        job: dict[str, Any] = aws("sagemaker", f"describe-{kind}", f"--{kind}-name", name)
        return job if job[status] not in ("InProgress", "Stopping") else None

    found: dict[str, Any] = until(ended_job, what=f"the end of the {kind}")
    return found


def wait(kind: str, name: str, *, status: str) -> None:
    over(kind, name, status=status)
    aws("sagemaker", "wait", f"{kind}-completed-or-stopped", f"--{kind}-name", name)


def body(key: str) -> str:
    file = DATA.parent / "aws-cli-body"
    aws("s3", "cp", f"s3://{BUCKET}/{PREFIX}/{key}", str(file))
    return file.read_text()


def refusals() -> None:
    with step("notification AWS refuses"):
        function_arn = "arn:aws:lambda:us-east-1:000000000000:function:none"
        for what, request in requests.refused_notifications(function_arn).items():
            put = {"Bucket": BUCKET, "NotificationConfiguration": request}
            said = refusal("s3api", "put-bucket-notification-configuration", request=put)
            expect("(InvalidArgument)" in said, True, what=f"InvalidArgument in the answer to {what}")
    with step("a service that is not there"):
        said = refusal("workspaces", "describe-workspaces")
        expect("(UnknownOperationException)" in said and "workspaces" in said, True, what=f"the service in {said!r}")


def delete() -> None:
    with step("delete"):
        aws("sagemaker", "delete-endpoint", "--endpoint-name", PREFIX)
        aws("sagemaker", "wait", "endpoint-deleted", "--endpoint-name", PREFIX)
        for what in ("images", "incremental"):
            aws("sagemaker", "delete-endpoint-config", "--endpoint-config-name", job_name(what))
            aws("sagemaker", "delete-model", "--model-name", job_name(what))
        said = refusal("sagemaker", "describe-model", "--model-name", job_name("images"))
        expect("(ValidationException)" in said, True, what="the answer to a deleted model")


if __name__ == "__main__":
    for part in (prepare, train_all, states, serve, more_jobs, refusals, delete):
        part()
