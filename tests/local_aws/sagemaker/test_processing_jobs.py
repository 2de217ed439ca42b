"""Checks processing jobs through boto3: real processes on several hosts, inputs from S3 and outputs to S3."""

import json
import signal

import httpx
import pytest

ECR = "000000000000.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def processing_request(role, name, s3):
    """A request for a job of the tiny algorithm that writes the three files of data/<name>/ in capitals."""
    for key in ("a.txt", "b/c.txt", "d.txt"):
        s3.put_object(Bucket="images", Key=f"data/{name}/{key}", Body=key.encode())

    def build(*, what="copy", instances=1, source=None, output=None, **changes):
        given = {
            "S3Uri": f"s3://images/data/{name}/",
            "LocalPath": "/opt/ml/processing/input/data",
            "S3DataType": "S3Prefix",
        }
        made = {
            "S3Uri": f"s3://images/processed/{name}",
            "LocalPath": "/opt/ml/processing/output",
            "S3UploadMode": "EndOfJob",
        }
        cluster = {"InstanceCount": instances, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        return {
            "ProcessingJobName": name,
            "ProcessingInputs": [{"InputName": "data", "S3Input": given | (source or {})}],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "made", "S3Output": made | (output or {})}]},
            "ProcessingResources": {"ClusterConfig": cluster},
            "AppSpecification": {
                "ImageUri": f"{ECR}/tiny:1",
                "ContainerArguments": [what, "/opt/ml/processing/input/data", "/opt/ml/processing/output"],
            },
            "RoleArn": role,
        } | changes

    return build


def processing_job(server, name):
    return server.sagemaker.describe_processing_job(ProcessingJobName=name)


@pytest.fixture
def ended():
    """Waits for the end of a job and returns the job."""
    return lambda server, name: server.ended(lambda: processing_job(server, name), status="ProcessingJobStatus")


@pytest.fixture
def outputs(objects, name):
    """What the job of this test has uploaded, by the key below its output URI."""
    return lambda: objects(f"processed/{name}/")


@pytest.fixture
def log_of(log_lines):
    return lambda name, host="algo-1": log_lines("/aws/sagemaker/ProcessingJobs", f"{name}/{host}-")


def test_a_job_reads_its_input_and_sends_its_output(server, name, processing_request, ended, outputs, log_of):
    request = processing_request(Environment={"COLOUR": "red"})
    arn = server.sagemaker.create_processing_job(**request)["ProcessingJobArn"]

    job = ended(server, name)

    assert (job["ProcessingJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert job["ProcessingJobArn"] == arn == f"arn:aws:sagemaker:us-east-1:000000000000:processing-job/{name}"
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert job["ExitMessage"] == "algo-1 has 3;"
    assert log_of(name) == ["files a.txt b/c.txt d.txt"]
    found = outputs()
    told = json.loads(found.pop("algo-1.json"))
    assert found == {"a.txt": b"A.TXT", "c.txt": b"B/C.TXT", "d.txt": b"D.TXT"}
    assert (told["current_host"], told["hosts"]) == ("algo-1", ["algo-1"])
    assert told["environment"]["COLOUR"] == "red"


def test_hosts_share_a_sharded_input_and_find_each_other(server, name, processing_request, ended, outputs, log_of):
    source = {"S3DataDistributionType": "ShardedByS3Key"}
    server.sagemaker.create_processing_job(**processing_request(instances=2, source=source))

    job = ended(server, name)

    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ExitMessage"] == "algo-1 has 2;algo-2 has 1;"
    assert (log_of(name, "algo-1"), log_of(name, "algo-2")) == (["files a.txt d.txt"], ["files b/c.txt"])
    found = outputs()
    told = [json.loads(found[f"algo-{number}.json"]) for number in (1, 2)]
    assert [host["hosts"] for host in told] == [["algo-1", "algo-2"]] * 2
    assert (
        told[0]["environment"]["SAGEMAKER_LOCAL_HOSTS_FOLDER"] == told[1]["environment"]["SAGEMAKER_LOCAL_HOSTS_FOLDER"]
    )
    assert set(found) == {"a.txt", "c.txt", "d.txt", "algo-1.json", "algo-2.json"}


def test_its_page_shows_a_job_and_its_log(server, name, processing_request, ended):
    server.sagemaker.create_processing_job(**processing_request())
    ended(server, name)

    html = httpx.get(f"{server.url}/_console/processing-jobs/{name}", trust_env=False, timeout=30).text

    assert "<p>Completed</p>" in html
    assert "algo-1 has 3;" in html
    assert "files a.txt b/c.txt d.txt" in html


def test_a_manifest_brings_exactly_its_objects(server, s3, name, processing_request, ended, log_of):
    manifest = json.dumps([{"prefix": f"s3://images/data/{name}/"}, "d.txt", "b/c.txt"])
    s3.put_object(Bucket="images", Key=f"manifests/{name}", Body=manifest)
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://images/manifests/{name}"}
    server.sagemaker.create_processing_job(**processing_request(source=source))

    assert ended(server, name)["ProcessingJobStatus"] == "Completed"
    assert log_of(name) == ["files b/c.txt d.txt"]


def test_a_job_that_fails_sends_no_output_at_its_end(server, name, processing_request, ended, outputs):
    server.sagemaker.create_processing_job(**processing_request(what="fail"))

    job = ended(server, name)

    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert job["ExitMessage"] == "algo-1 has 3;"
    assert outputs() == {}


def test_when_one_host_fails_the_others_are_ended(server, name, processing_request, ended):
    server.sagemaker.create_processing_job(**processing_request(what="fail-on-algo-2", instances=2))

    assert ended(server, name)["FailureReason"] == "AlgorithmError: See job logs for more information"


def test_a_message_that_is_no_text_fails_the_job(server, name, processing_request, ended):
    server.sagemaker.create_processing_job(**processing_request(what="say-nonsense"))

    assert ended(server, name)["FailureReason"].startswith("ClientError: /opt/ml/output/message is not UTF-8")


def test_a_stopped_job_keeps_what_was_sent_while_it_ran(
    server, name, processing_request, ended, outputs, log_of, until, refusal
):
    server.sagemaker.create_processing_job(**processing_request(what="wait", output={"S3UploadMode": "Continuous"}))
    until(lambda: "waiting" in log_of(name))
    until(lambda: len(outputs()) == 4)

    server.sagemaker.stop_processing_job(ProcessingJobName=name)

    assert ended(server, name)["ProcessingJobStatus"] == "Stopped"
    assert len(outputs()) == 4
    code, message = refusal(server.sagemaker.stop_processing_job, ProcessingJobName=name)
    assert code == "ValidationException"
    assert message == "The request was rejected because the processing job is in status Stopped."


def test_a_job_over_its_time_is_stopped(server, name, processing_request, ended, outputs):
    limit = {"MaxRuntimeInSeconds": 2}
    server.sagemaker.create_processing_job(**processing_request(what="wait", StoppingCondition=limit))

    job = ended(server, name)

    assert (job["ProcessingJobStatus"], job["StoppingCondition"]) == ("Stopped", limit)
    assert outputs() == {}


def test_a_job_whose_server_was_killed_is_failed(own_server, name, processing_request, ended, log_of, until):
    own_server.sagemaker.create_processing_job(**processing_request(what="wait"))
    until(lambda: "waiting" in log_of(name))

    own_server.end(signal.SIGKILL)
    own_server.start()

    job = ended(own_server, name)
    assert job["FailureReason"].startswith("InternalServerError: The local SageMaker was stopped while the job ran")
    assert [path.name for path in (own_server.state / "processing-jobs" / name).iterdir()] == ["algo-1.log"]


def test_what_is_not_there_is_refused_in_the_words_of_aws(server, name, processing_request, ended, refusal):
    create = server.sagemaker.create_processing_job
    empty = {"S3Uri": f"s3://images/nothing/{name}/"}
    assert refusal(create, **processing_request(source=empty))[1].startswith("No S3 objects found under S3 URL")
    absent = "arn:aws:iam::000000000000:role/absent"
    assert refusal(create, **processing_request(RoleArn=absent))[1].startswith(f"Could not assume role {absent}.")
    assert refusal(server.sagemaker.describe_processing_job, ProcessingJobName=name) == (
        "ValidationException",
        f"Could not find requested job with name: {name}",
    )
    create(**processing_request())
    assert refusal(create, **processing_request())[0] == "ResourceInUse"
    ended(server, name)
    server.sagemaker.delete_processing_job(ProcessingJobName=name)
    assert refusal(server.sagemaker.describe_processing_job, ProcessingJobName=name)[0] == "ValidationException"


def test_jobs_are_listed_and_tagged(server, name, processing_request, ended):
    tags = [{"Key": "image-classifier", "Value": "digits"}]
    arn = server.sagemaker.create_processing_job(**processing_request(Tags=tags))["ProcessingJobArn"]
    ended(server, name)

    listed = server.sagemaker.list_processing_jobs(NameContains=name, StatusEquals="Completed")

    assert [job["ProcessingJobArn"] for job in listed["ProcessingJobSummaries"]] == [arn]
    assert server.sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags


def test_faults_meet_processing_jobs_by_their_operation(server, plan, name, processing_request, ended, refusal):
    operation = "CreateProcessingJob"
    first, second = ({"operation": operation, "where": {"ProcessingJobName": f"{name}-{number}"}} for number in (1, 2))
    plan(
        {"fault": "capacity", **first},
        {"fault": "job_fails", "reason": "InternalServerError: Sorry.", **second},
    )
    for number in (1, 2):
        request = processing_request(what="wait", ProcessingJobName=f"{name}-{number}")
        server.sagemaker.create_processing_job(**request)
    first, second = (ended(server, f"{name}-{number}") for number in (1, 2))

    assert first["FailureReason"].startswith("CapacityError: Unable to provision requested ML compute capacity.")
    assert "ProcessingStartTime" not in first
    assert second["FailureReason"] == "InternalServerError: Sorry."
    plan({"fault": "quota", "instance_type": "ml.m5.large", "operation": operation, "limit": 0})
    code, message = refusal(server.sagemaker.create_processing_job, **processing_request())
    assert code == "ResourceLimitExceeded"
    assert message.startswith("The account-level service limit 'ml.m5.large for processing job usage' is 0 Instances")
