"""Training jobs kept in memory, for what asks SageMaker more than one thing; and uploads to S3, for obstore."""

import re
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

MODEL = botocore.session.get_session().get_service_model("sagemaker")
OPERATIONS = {xform_name(name): name for name in MODEL.operation_names}
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = {  # what requests and methods call a kind of job
    "tuning": ("HyperParameterTuningJob", "hyper_parameter_tuning_job"),
    "transform": ("TransformJob", "transform_job"),
    "processing": ("ProcessingJob", "processing_job"),
}


def refusal(code, message="", status=400):
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "operation")


class TrainingJobs:
    """A SageMaker client whose jobs end as a test says; every request is checked against AWS's own model.

    ``calls`` are the changes that were asked for, by method and job or ARN. ``refuses`` holds errors by method, each
    raised once, or a function of the request that may raise.
    """

    def __init__(self):
        self.jobs, self.tags, self.calls, self.refuses = {}, {}, [], {}
        self.others = {kind: {} for kind in KINDS}

    def has(self, name, status="InProgress", *, tags=(), **values):
        self.jobs[name] = {
            "TrainingJobName": name,
            "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://b/models/{name}/output/model.tar.gz"},
            "TrainingJobStatus": status,
            "SecondaryStatus": status,
            "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
            "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
            "CreationTime": CREATED,
            **values,
        }
        self.tags[self.jobs[name]["TrainingJobArn"]] = dict(tags)
        return self.jobs[name]

    def has_other(self, kind, name, status="InProgress", *, tags=(), **values):
        """A job of a kind of its own."""
        named, _ = KINDS[kind]
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:{kind}-job/{name}"
        self.tags[arn] = dict(tags)
        self.others[kind][name] = {
            f"{named}Name": name,
            f"{named}Arn": arn,
            f"{named}Status": status,
            "CreationTime": CREATED,
            **values,
        }
        return self.others[kind][name]

    def tags_of(self, name):
        found = [job for jobs in (self.jobs, *self.others.values()) for key, job in jobs.items() if key == name]
        return self.tags[next(value for key, value in found[0].items() if key.endswith("JobArn"))]

    @property
    def created(self):
        return [name for method, name in self.calls if method == "create_training_job"]

    @property
    def stopped(self):
        return [name for method, name in self.calls if method == "stop_training_job"]

    def describe_training_job(self, **request):
        self._check("describe_training_job", request)
        return self._job(request)

    def describe_endpoint(self, **request):
        self._check("describe_endpoint", request)
        raise refusal("ValidationException", f'Could not find endpoint "{request["EndpointName"]}".')

    def create_training_job(self, **request):
        self._check("create_training_job", request)
        name = request["TrainingJobName"]
        if name in self.jobs:
            raise refusal("ResourceInUse", "Training job names must be unique")
        self.calls.append(("create_training_job", name))
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        self.has(name, **{key: value for key, value in request.items() if key not in ("Tags", "TrainingJobName")})
        self.tags[self.jobs[name]["TrainingJobArn"]] = tags
        return {"TrainingJobArn": self.jobs[name]["TrainingJobArn"]}

    def stop_training_job(self, **request):
        self._check("stop_training_job", request)
        job = self._job(request)
        if job["TrainingJobStatus"] not in ("InProgress", "Stopping"):
            status = job["TrainingJobStatus"]
            raise refusal("ValidationException", f"rejected because the training job is in status {status}.")
        self.calls.append(("stop_training_job", request["TrainingJobName"]))
        job["TrainingJobStatus"] = job["SecondaryStatus"] = "Stopping"
        return {}

    def add_tags(self, **request):
        self._check("add_tags", request)
        self.calls.append(("add_tags", request["ResourceArn"].rpartition("/")[2]))
        self.tags[request["ResourceArn"]] |= {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        return {}

    def get_paginator(self, method):
        return type(
            "Paginator", (), {"paginate": staticmethod(lambda **request: [getattr(self, f"_{method}")(request)])}
        )

    def _list_tags(self, request):
        self._check("list_tags", request)
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.tags[request["ResourceArn"]].items()]}

    def _list_training_jobs(self, request):
        self._check("list_training_jobs", request)
        found = [
            job
            for job in self.jobs.values()
            if request["NameContains"] in job["TrainingJobName"] and job["TrainingJobStatus"] == request["StatusEquals"]
        ]
        return {"TrainingJobSummaries": found}

    def describe_hyper_parameter_tuning_job(self, **request):
        return self._described("tuning", request)

    def describe_transform_job(self, **request):
        return self._described("transform", request)

    def describe_processing_job(self, **request):
        return self._described("processing", request)

    def create_hyper_parameter_tuning_job(self, **request):
        return self._created("tuning", request)

    def create_transform_job(self, **request):
        return self._created("transform", request)

    def create_processing_job(self, **request):
        return self._created("processing", request)

    def stop_hyper_parameter_tuning_job(self, **request):
        return self._stopped("tuning", request)

    def stop_transform_job(self, **request):
        return self._stopped("transform", request)

    def stop_processing_job(self, **request):
        return self._stopped("processing", request)

    def _list_hyper_parameter_tuning_jobs(self, request):
        return self._listed("tuning", request)

    def _list_transform_jobs(self, request):
        return self._listed("transform", request)

    def _list_processing_jobs(self, request):
        return self._listed("processing", request)

    def _described(self, kind, request):
        named, operation = KINDS[kind]
        self._check(f"describe_{operation}", request)
        if request[f"{named}Name"] not in self.others[kind]:
            raise refusal("ResourceNotFound", "Could not find it.")
        return self.others[kind][request[f"{named}Name"]]

    def _created(self, kind, request):
        named, operation = KINDS[kind]
        self._check(f"create_{operation}", request)
        name = request[f"{named}Name"]
        if name in self.others[kind]:
            raise refusal("ResourceInUse", f"A job with the name {name} already exists.")
        self.calls.append((f"create_{operation}", name))
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        values = {key: value for key, value in request.items() if key not in ("Tags", f"{named}Name")}
        return {f"{named}Arn": self.has_other(kind, name, tags=tags, **values)[f"{named}Arn"]}

    def _stopped(self, kind, request):
        job, (named, operation) = self._described(kind, request), KINDS[kind]
        if job[f"{named}Status"] != "InProgress":
            raise refusal("ValidationException", f"The job is in status {job[f'{named}Status']}.")
        self.calls.append((f"stop_{operation}", request[f"{named}Name"]))
        job[f"{named}Status"] = "Stopping"
        return {}

    def _listed(self, kind, request):
        named, operation = KINDS[kind]
        self._check(f"list_{operation}s", request)
        found = [
            job
            for name, job in self.others[kind].items()
            if request["NameContains"] in name
            and job[f"{named}Status"] == request.get("StatusEquals", job[f"{named}Status"])
        ]
        return {f"{named}Summaries": found}

    def _job(self, request):
        if request["TrainingJobName"] not in self.jobs:
            raise refusal("ValidationException", "Requested resource not found.")
        return self.jobs[request["TrainingJobName"]]

    def _check(self, method, request):
        shape = MODEL.operation_model(OPERATIONS[method]).input_shape
        assert ParamValidator().validate(request, shape).generate_report() == ""
        for tag in request.get("Tags", []):
            assert re.fullmatch(r"[\w\s.:/=+\-@]{0,256}", tag["Value"])  # botocore does not check patterns
        refuses = self.refuses.get(method, [])
        if callable(refuses):
            refuses(request)
        elif refuses:
            raise refuses.pop(0)


@pytest.fixture
def jobs():
    return TrainingJobs()


@pytest.fixture
def refused():
    """An error as AWS answers it."""
    return refusal


class S3Server(ThreadingHTTPServer):
    """Answers PUT requests with the statuses of ``answers``, then with 200, and keeps them as (path, headers, body)."""

    daemon_threads = True

    def __init__(self):
        self.requests, self.answers = [], []
        super().__init__(("127.0.0.1", 0), _PutHandler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _PutHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def s3_server():
    with S3Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
