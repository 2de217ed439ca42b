"""Checks that the function is created, updated and made live, and is not changed if nothing differs."""

import io
import json
import zipfile

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from image_classifier.aws.names import Keys
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.connect import function_calls
from image_classifier.connect.function import ensure_function
from image_classifier.connect.function_configuration import function_configuration
from image_classifier.connect.function_package import FunctionPackage
from image_classifier.connect.function_versions import VERSIONS_KEPT
from image_classifier.contracts.errors import (
    AwsRefusalError,
    EndpointGoneError,
    FunctionError,
    ObjectGoneError,
    ResourceBusyError,
)
from image_classifier_inference.environment import Environment

# One session: it reads the services' models once.
SESSION = boto3.Session("testing", "testing", region_name="us-east-1")
NAME = "image-classifier-pets"
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:failures"
TRUST = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ]
}
CLASSIFIER = Classifier(name="pets", source="pets", hyperparameters={"image_shape": "3,96,96"}, tags={"team": "vets"})


def settings(**changes):
    values = {
        "bucket": "pictures",
        "sagemaker_role_arn": "arn:aws:iam::123456789012:role/sagemaker",
        "function_role_arn": "arn:aws:iam::123456789012:role/function",
        "failure_queue_arn": QUEUE_ARN,
    }
    return Settings(**{**values, **changes})


def configured(classifier=CLASSIFIER, *, training_job="job-1", **changes):
    return function_configuration(
        classifier, settings=settings(**changes), training_job=training_job, endpoint_config="config-1"
    )


def package(content="x = 1"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("code.py"), content)
    return FunctionPackage.of(buffer.getvalue())


class Aws:
    """moto's AWS, where functions answer without being run; remembers which operations were asked for."""

    def __init__(self):
        self.functions = SESSION.client("lambda")
        self.s3 = SESSION.client("s3")
        self.logs = SESSION.client("logs")
        self.s3.create_bucket(Bucket="pictures")
        SESSION.client("sqs").create_queue(QueueName="failures")
        iam = SESSION.client("iam")
        iam.create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(TRUST))
        self.calls = []
        for client in (self.functions, self.s3, self.logs):
            client.meta.events.register("before-parameter-build.*.*", lambda model, **_: self.calls.append(model.name))

    def ensure(self, configuration=None, code=None):
        self.calls.clear()
        return ensure_function(
            self.functions,
            self.s3,
            self.logs,
            configuration=configuration or configured(),
            package=code or package(),
        )

    def fails(self, monkeypatch, operation, *errors):
        """Let the client's method raise these errors, one a call, before it works."""
        real, remaining = getattr(self.functions, operation), list(errors)

        def method(**request):
            if remaining:
                code, message = remaining.pop(0)
                raise ClientError({"Error": {"Code": code, "Message": message}}, operation)
            return real(**request)

        monkeypatch.setattr(self.functions, operation, method)

    def live(self):
        return self.functions.get_function_configuration(FunctionName=NAME, Qualifier="live")

    def versions(self):
        found = self.functions.list_versions_by_function(FunctionName=NAME)["Versions"]
        return [version["Version"] for version in found if version["Version"] != "$LATEST"]


@pytest.fixture
def aws():
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield Aws()


READS = {
    "GetFunction",
    "GetAlias",
    "GetFunctionConfiguration",
    "GetFunctionEventInvokeConfig",
    "DescribeLogGroups",
}


def test_a_first_deployment_creates_everything(aws):
    deployed = aws.ensure()

    assert deployed.outcome == "created"
    assert deployed.function_arn.endswith(f":function:{NAME}")
    assert deployed.alias_arn == f"{deployed.function_arn}:live"
    assert (aws.live()["Version"], deployed.version) == ("1", "1")


def test_the_function_is_configured_as_its_classifier_asks(aws):
    aws.ensure(configured(function_architecture="arm64"))

    live = aws.live()
    assert (live["Runtime"], live["Architectures"], live["Handler"]) == (
        "python3.12",
        ["arm64"],
        "image_classifier_inference.handler.lambda_handler",
    )
    assert (live["Timeout"], live["MemorySize"]) == (60, 1024)
    assert live["Role"] == "arn:aws:iam::123456789012:role/function"
    assert aws.functions.get_function(FunctionName=NAME)["Tags"] == {"image-classifier": "pets", "team": "vets"}


def test_the_function_can_read_the_environment_that_it_is_given():
    environment = Environment.from_environ(configured(training_job="job-7").environment)

    keys = Keys("pets")
    assert (environment.endpoint, environment.training_job) == (NAME, "job-7")
    assert environment.unsure_below == 0.5
    assert environment.incoming_prefix == keys.incoming
    assert environment.predictions_prefix == keys.predictions
    assert f"{environment.models_prefix}job-7/model.json" == keys.model_file("job-7")


def test_only_a_file_that_says_so_changes_the_functions_environment():
    asked = CLASSIFIER.revised({"calibrate": True, "unsure_below": "auto", "evaluation": {"wanted_accuracy": 0.9}})
    added = {"CALIBRATE": "true", "UNSURE_BELOW": "auto", "WANTED_ACCURACY": "0.9"}

    assert configured(asked).environment == {**configured().environment, **added}
    assert Environment.from_environ(configured(asked).environment).unsure_below is None


def test_a_configuration_goes_through_xcom(aws):
    assert type(configured()).model_validate(json.loads(configured().model_dump_json())) == configured()


def test_a_second_deployment_changes_nothing(aws):
    aws.ensure()

    assert aws.ensure().outcome == "unchanged"

    assert set(aws.calls) <= READS


def test_the_zip_is_stored_once_under_the_hash_of_its_content(aws):
    aws.ensure()
    aws.ensure(configured(training_job="job-2"))

    stored = aws.s3.list_objects_v2(Bucket="pictures")["Contents"]
    assert [item["Key"] for item in stored] == [f"pets/functions/{package().sha256}.zip"]


def test_another_model_gets_another_version(aws):
    aws.ensure()
    deployed = aws.ensure(configured(training_job="job-2"))

    assert (deployed.outcome, deployed.version) == ("updated", "2")
    assert aws.live()["Environment"]["Variables"]["TRAINING_JOB"] == "job-2"
    assert "UpdateFunctionCode" not in aws.calls


def test_other_code_gets_another_version(aws):
    aws.ensure()
    deployed = aws.ensure(code=package("x = 2"))

    assert (deployed.outcome, deployed.version) == ("updated", "2")
    assert aws.live()["CodeSha256"] == package("x = 2").code_sha256
    assert "UpdateFunctionConfiguration" not in aws.calls


def test_a_later_tag_is_added(aws):
    aws.ensure()
    tagged = CLASSIFIER.model_copy(update={"tags": {"team": "zoo"}})

    assert aws.ensure(configured(tagged)).outcome == "updated"

    assert aws.functions.get_function(FunctionName=NAME)["Tags"] == {"image-classifier": "pets", "team": "zoo"}


def test_a_version_that_does_not_start_does_not_go_live(aws, monkeypatch):
    aws.ensure()
    answer = {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "no module PIL"}')}
    monkeypatch.setattr(aws.functions, "invoke", lambda **_: answer)

    with pytest.raises(FunctionError, match=r"Version 2 .* does not work .*no module PIL"):
        aws.ensure(code=package("import PIL"))

    assert aws.live()["Version"] == "1"


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"errorType": "EndpointGoneError"}, EndpointGoneError),
        ({"errorType": "NoSuchKey"}, ObjectGoneError),
        ({"errorType": "EndpointError"}, FunctionError),
        ({}, FunctionError),
        ([], FunctionError),
    ],
)
def test_a_version_without_endpoint_or_model_file_is_not_tried_again(aws, monkeypatch, told, error):
    answer = {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(told).encode())}
    monkeypatch.setattr(aws.functions, "invoke", lambda **_: answer)

    with pytest.raises(error) as caught:
        aws.ensure()
    assert type(caught.value) is error


def test_a_deployment_that_was_cut_off_before_it_went_live_is_finished(aws, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(aws.functions, "invoke", lambda **_: {"FunctionError": "x", "Payload": io.BytesIO(b"")})
        with pytest.raises(FunctionError):
            aws.ensure()

    assert aws.ensure().outcome == "updated"
    assert aws.live()["CodeSha256"] == package().code_sha256


def test_a_version_is_asked_to_do_all_that_an_upload_needs(aws, monkeypatch):
    requests = []
    monkeypatch.setattr(aws.functions, "invoke", lambda **request: requests.append(request) or {})

    aws.ensure()

    (request,) = requests
    assert (request["FunctionName"], request["Qualifier"]) == (NAME, "1")
    assert json.loads(request["Payload"]) == {"check": {"bucket": "pictures"}}


def test_an_alias_that_shares_uploads_with_another_version_is_brought_back(aws, monkeypatch):
    aws.ensure()
    alias = aws.functions.get_alias(FunctionName=NAME, Name="live")
    shared = {**alias, "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}}
    requests = []
    monkeypatch.setattr(aws.functions, "get_alias", lambda **_: shared)
    monkeypatch.setattr(aws.functions, "update_alias", lambda **request: requests.append(request) or alias)

    assert aws.ensure().outcome == "updated"

    (request,) = requests
    assert request["RoutingConfig"] == {"AdditionalVersionWeights": {}}


def test_failed_events_go_to_the_failure_queue(aws):
    aws.ensure()

    found = aws.functions.get_function_event_invoke_config(FunctionName=NAME, Qualifier="live")
    assert found["DestinationConfig"]["OnFailure"] == {"Destination": QUEUE_ARN}
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (2, 21600)


def test_another_failure_queue_is_an_update(aws):
    aws.ensure()
    SESSION.client("sqs").create_queue(QueueName="other")

    assert aws.ensure(configured(failure_queue_arn=f"{QUEUE_ARN[:-8]}other")).outcome == "updated"


def test_logs_are_kept_for_thirty_days_and_a_later_choice_is_respected(aws):
    aws.ensure()
    aws.logs.put_retention_policy(logGroupName=f"/aws/lambda/{NAME}", retentionInDays=365)
    aws.ensure(configured(training_job="job-2"))

    (group,) = aws.logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{NAME}")["logGroups"]
    assert group["retentionInDays"] == 365


def test_a_log_group_that_outlived_an_earlier_function_is_kept(aws):
    aws.logs.create_log_group(logGroupName=f"/aws/lambda/{NAME}")
    aws.ensure()

    (group,) = aws.logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{NAME}")["logGroups"]
    assert group["retentionInDays"] == 30


def test_old_versions_are_deleted_but_not_those_that_an_alias_points_at(aws):
    aws.ensure(configured(training_job="job-1"))
    aws.functions.create_alias(FunctionName=NAME, Name="a-persons-own", FunctionVersion="1")
    for number in range(2, VERSIONS_KEPT + 3):
        aws.functions.update_function_configuration(FunctionName=NAME, Description=f"by hand {number}")
        aws.functions.publish_version(FunctionName=NAME)

    aws.ensure(configured(training_job="job-2"))

    newest = [str(number) for number in range(4, VERSIONS_KEPT + 4)]
    assert aws.versions() == ["1", *newest]


@pytest.mark.parametrize("tags", [{}, {"image-classifier": "other"}])
def test_somebody_elses_function_is_not_touched(aws, tags):
    aws.ensure()
    arn = aws.functions.get_function(FunctionName=NAME)["Configuration"]["FunctionArn"]
    aws.functions.untag_resource(Resource=arn, TagKeys=["image-classifier"])
    aws.functions.tag_resource(Resource=arn, Tags=tags or {"team": "zoo"})

    with pytest.raises(FunctionError, match="does not carry the tag image-classifier=pets"):
        aws.ensure(code=package("x = 2"))

    assert set(aws.calls) <= READS


@pytest.mark.parametrize(
    ("operation", "code", "message"),
    [
        ("create_function", "InvalidParameterValueException", "The role defined ... cannot be assumed by Lambda."),
        ("publish_version", "ResourceConflictException", "The operation cannot be performed at this time."),
        (
            "put_function_event_invoke_config",
            "InvalidParameterValueException",
            "The function's execution role does not have permissions to call SendMessage on arn:aws:sqs:x",
        ),
    ],
)
def test_what_passes_on_its_own_is_asked_again(aws, pauses, monkeypatch, operation, code, message):
    aws.fails(monkeypatch, operation, (code, message), (code, message))

    assert aws.ensure().outcome == "created"

    assert len(pauses) == 2


@pytest.mark.parametrize("operation", ["update_function_code", "update_function_configuration"])
def test_an_update_waits_for_an_earlier_one(aws, pauses, monkeypatch, operation):
    aws.ensure()
    busy = ("ResourceConflictException", "An update is in progress for resource")
    aws.fails(monkeypatch, operation, busy)

    assert aws.ensure(configured(training_job="job-2"), package("x = 2")).outcome == "updated"

    assert len(pauses) == 1


def test_waiting_ends_with_an_error_that_says_to_come_back(aws, monkeypatch):
    busy = ("ResourceConflictException", "An update is in progress for resource")
    aws.fails(monkeypatch, "create_function", *[busy] * function_calls.MOST_TRIES)

    with pytest.raises(ResourceBusyError, match=f"Function {NAME} cannot be changed yet"):
        aws.ensure()


def test_a_role_that_lambda_never_assumes_is_not_said_to_pass(aws, monkeypatch):
    refusal = ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
    aws.fails(monkeypatch, "create_function", *[refusal] * 20)

    with pytest.raises(AwsRefusalError, match=f"Function {NAME}: The role defined .* preflight"):
        aws.ensure()


def test_a_function_that_another_run_creates_meanwhile_is_left_to_it(aws, pauses, monkeypatch):
    aws.fails(monkeypatch, "create_function", ("ResourceConflictException", f"Function already exist: {NAME}"))

    with pytest.raises(ResourceBusyError, match="already exist"):
        aws.ensure()

    assert pauses == []


def test_any_other_refusal_is_shown_as_it_is(aws, monkeypatch):
    aws.fails(monkeypatch, "create_function", ("AccessDeniedException", "not authorized"))

    with pytest.raises(ClientError, match="not authorized"):
        aws.ensure()
