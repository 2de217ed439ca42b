"""Starts MiniStack and the SageMaker server with a tiny algorithm, and makes boto3 clients of both."""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import uuid
from pathlib import Path

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.ports import free_port
from tests.waiting import until

from local_aws.processes.child import start_child

INCLUDE = Path(__file__).resolve().parents[3] / "include"
PROGRAM = Path(__file__).with_name("tiny_algorithm.py")
ECR = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
BUCKET = "images"
QUICK = ("--stop-grace-s", "1", "--ping-timeout-s", "10", "--drain-s", "10")


@pytest.fixture(scope="session", name="until")
def until_fixture():
    return until


@pytest.fixture(scope="session")
def refusal():
    """Make a call that is refused; returns the error's code and message."""

    def refuse(call, **request):
        with pytest.raises(ClientError) as caught:
            call(**request)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    return refuse


def answers(url):
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=1, trust_env=False).status_code < 500
    return False


@pytest.fixture(scope="session")
def page():
    """A page for people, as a browser asks for it: status and HTML."""

    def get(server, path):
        answer = httpx.get(f"{server.url}/_console/{path}", trust_env=False, timeout=30)
        return answer.status_code, answer.text

    return get


@pytest.fixture(scope="session")
def ministack_url(tmp_path_factory):
    """The URL of an unpatched MiniStack, for the services other than SageMaker."""
    port, folder = free_port(), tmp_path_factory.mktemp("ministack")
    env = {**os.environ, "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "HOME": str(folder)}
    child = start_child([sys.executable, "-m", "ministack"], env=env, log_file=folder / "log", cwd=folder)
    url = f"http://127.0.0.1:{port}"
    until(lambda: answers(f"{url}/_ministack/health"), seconds=120, what="MiniStack's start")
    yield url
    child.stop(5)


def aws_client(service, url):
    config = Config(
        s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, max_pool_connections=32, read_timeout=70
    )
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )


@pytest.fixture(scope="session")
def s3(ministack_url):
    client = aws_client("s3", ministack_url)
    client.create_bucket(Bucket=BUCKET)
    for name in ("cat/1.jpg", "cat/2.jpg", "dog/1.jpg"):
        client.put_object(Bucket=BUCKET, Key=f"data/train/{name}", Body=name.encode())
    client.put_object(Bucket=BUCKET, Key="data/train_lst/train.lst", Body=b"0\t0\tcat/1.jpg\n")
    return client


@pytest.fixture(scope="session")
def objects(s3):
    """The objects below a prefix: their content by the rest of the key."""

    def read(prefix):
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]
        return {key.removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}

    return read


@pytest.fixture(scope="session")
def logs(ministack_url):
    return aws_client("logs", ministack_url)


@pytest.fixture(scope="session")
def cloudwatch(ministack_url):
    return aws_client("cloudwatch", ministack_url)


@pytest.fixture(scope="session")
def log_lines(logs):
    """The lines of the first stream whose name starts so; none while there is no such stream."""

    def read(group, prefix):
        try:
            streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        if not streams:
            return []
        answer = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True)
        return [event["message"] for event in answer["events"]]

    return read


@pytest.fixture(scope="session")
def job_log(log_lines):
    """The log of a training job."""
    return lambda job_name: log_lines("/aws/sagemaker/TrainingJobs", f"{job_name}/algo-1-")


@pytest.fixture(scope="session")
def role(ministack_url):
    iam = aws_client("iam", ministack_url)
    statement = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return iam.create_role(RoleName="trains", AssumeRolePolicyDocument=policy)["Role"]["Arn"]


class Server:
    """The server as a process of its own, with boto3 clients for it."""

    def __init__(self, state, ministack_url):
        self.state, self.ministack_url, self.port = state, ministack_url, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.sagemaker = aws_client("sagemaker", self.url)
        self.runtime = aws_client("sagemaker-runtime", self.url)
        self.process = None
        self.fault_plan = state / "faults.json"

    def start(self, *options):
        images = [f"tiny={sys.executable} -S {PROGRAM}", f"image-classification={sys.executable} -S {PROGRAM}"]
        command = [sys.executable, "-m", "local_aws.sagemaker", "--state", self.state, "--port", str(self.port)]
        command += [
            "--aws-endpoint-url",
            self.ministack_url,
            *(f"--image={image}" for image in images),
            *QUICK,
            *options,
        ]
        command += ["--faults", self.fault_plan]
        env = {**os.environ, "PYTHONPATH": str(INCLUDE)}
        self.log = (self.state / "server.log").open("ab")
        self.process = subprocess.Popen(command, env=env, stdout=self.log, stderr=self.log)
        until(lambda: answers(f"{self.url}/health"), seconds=120, what="the start of the SageMaker server")
        return self

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)
        self.log.close()

    def plan(self, *faults):
        """Write the fault plan in one step, as one should."""
        scratch = self.fault_plan.with_suffix(".tmp")
        scratch.write_text(json.dumps(faults))
        scratch.replace(self.fault_plan)

    def job(self, name):
        return self.sagemaker.describe_training_job(TrainingJobName=name)

    def ended(self, describe, *, status, seconds=30):
        """The job that `describe` returns, once its member `status` says that it has ended."""
        over = ("Completed", "Failed", "Stopped")
        return until(lambda: (job := describe())[status] in over and job, seconds=seconds, what="the end of a job")

    def ended_job(self, name, *, seconds=30):
        return self.ended(lambda: self.job(name), status="TrainingJobStatus", seconds=seconds)

    def endpoint(self, name):
        return self.sagemaker.describe_endpoint(EndpointName=name)

    def finished_endpoint(self, name):
        finished = ("InService", "Failed")
        return until(lambda: (e := self.endpoint(name))["EndpointStatus"] in finished and e, what=f"the end of {name}")


@pytest.fixture(scope="session")
def new_server(ministack_url, s3, role):
    """A server that is not started yet, on a state folder."""
    return lambda state: Server(state, ministack_url)


@pytest.fixture(scope="session")
def server(ministack_url, s3, role, tmp_path_factory):
    """A server for all tests; each uses names of its own."""
    server = Server(tmp_path_factory.mktemp("state"), ministack_url).start()
    yield server
    server.end()


@pytest.fixture
def plan(server):
    """Writes the fault plan of the shared server, which is deleted after the test."""
    yield server.plan
    server.fault_plan.unlink(missing_ok=True)


@pytest.fixture
def own_server(ministack_url, s3, role, tmp_path):
    """A server that the test may kill."""
    server = Server(tmp_path, ministack_url).start()
    yield server
    if server.process.poll() is None:
        server.end()
    shutil.rmtree(tmp_path)


@pytest.fixture
def name():
    """A name that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def job_request(role):
    """A request for a job of the tiny algorithm, with members changed as the test needs."""

    def build(name, *, hyperparameters=None, **changes):
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": f"s3://{BUCKET}/data/train/",
            "S3DataDistributionType": "FullyReplicated",
        }
        return {
            "TrainingJobName": name,
            "AlgorithmSpecification": {"TrainingImage": f"{ECR}/tiny:1", "TrainingInputMode": "File"},
            "RoleArn": role,
            "HyperParameters": hyperparameters or {},
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
            "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        } | changes

    return build


@pytest.fixture
def with_metrics():
    """A job request of an image of one's own that names the metrics of the tiny algorithm."""
    definitions = [
        {"Name": f"{split.lower()}:accuracy", "Regex": f"{split}-accuracy=([0-9.]+)"}
        for split in ("Train", "Validation")
    ]

    def add(request):
        return request | {
            "AlgorithmSpecification": request["AlgorithmSpecification"] | {"MetricDefinitions": definitions}
        }

    return add


@pytest.fixture
def in_service(server, name, put_model):
    """An endpoint that answers, and a second config for it: its name with -2."""
    put_model(server, name)
    put_model(server, f"{name}-2")
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.finished_endpoint(name)
    yield name
    with contextlib.suppress(ClientError):  # one that is being updated ends with the server
        server.sagemaker.delete_endpoint(EndpointName=name)


@pytest.fixture
def put_model(s3, role):
    """Put an artifact into S3 and make a model and an endpoint config of it, both called `name`."""

    def put(server, name, *, settings=None, variants=None):
        key = f"artifacts/{name}/model.tar.gz"
        s3.put_object(Bucket=BUCKET, Key=key, Body=archive({"model.json": json.dumps(settings or {"model": name})}))
        container = {"Image": f"{ECR}/tiny:1", "ModelDataUrl": f"s3://{BUCKET}/{key}"}
        server.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
        variant = {"VariantName": name, "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        server.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants or [variant])
        return variant

    return put


def archive(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()
