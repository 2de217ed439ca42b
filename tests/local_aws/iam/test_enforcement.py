"""Checks that IAM is enforced: signatures, the shipped policies, passed roles, roles of functions and jobs."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError
from tests.permissions.edited_policies import without
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Enforcing

IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize("service", ["s3", "lambda", "sqs", "iam", "logs", "sagemaker", "sagemaker-runtime"])
def test_a_wrong_secret_is_refused_everywhere_and_the_root_users_too(aws: Enforcing, service: str) -> None:
    calls: dict[str, Callable[[Any], Any]] = {
        "s3": lambda client: client.list_buckets(),
        "lambda": lambda client: client.list_functions(),
        "sqs": lambda client: client.list_queues(),
        "iam": lambda client: client.list_users(),
        "logs": lambda client: client.describe_log_groups(),
        "sagemaker": lambda client: client.list_models(),
        "sagemaker-runtime": lambda client: client.invoke_endpoint(EndpointName="image-classifier-a", Body=b"a"),
    }
    for user in ("root", "image-classifier-airflow"):
        client = aws.client_with(service, aws.keys[user]["access_key"], "wrong")
        code, message = refusal(lambda client=client: calls[service](client))
        assert code in {"SignatureDoesNotMatch", "InvalidSignatureException"}
        assert str(aws.state / "keys.json") in message


@pytest.mark.parametrize("service", ["s3", "sagemaker"])
def test_the_answer_to_an_unknown_key_says_where_the_keys_are(aws: Enforcing, service: str) -> None:
    client = aws.client_with(service, "any", "thing")
    call = client.put_object if service == "s3" else client.list_models
    request = {"Bucket": aws.bucket, "Key": "digits/incoming/a", "Body": b"a"} if service == "s3" else {}

    code, message = refusal(call, **request)

    assert code in {"InvalidAccessKeyId", "UnrecognizedClientException"}
    assert message.endswith(f"the keys that it has made are in {aws.state}/keys.json.")


def test_unsigned_requests_are_refused_and_presigned_ones_are_not(aws: Enforcing) -> None:
    anonymous = aws.client_with("s3", "", "", signature_version=UNSIGNED)
    aws.root("s3").put_object(Bucket=aws.bucket, Key="digits/predictions/a.json", Body=b"record")
    url = aws.uploader("s3").generate_presigned_url(
        "get_object", Params={"Bucket": aws.bucket, "Key": "digits/predictions/a.json"}
    )

    assert refusal(anonymous.get_object, Bucket=aws.bucket, Key="digits/predictions/a.json")[0] == "AccessDenied"
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"record"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url.replace("a.json", "b.json"))


def posted(form: dict[str, Any], *, without: str = "") -> int:
    """The status of the answer to a browser's form with a file of three bytes."""
    fields = {name: value for name, value in form["fields"].items() if name != without}
    parts = [
        f'--X\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    parts.append('--X\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\nabc\r\n--X--\r\n')
    headers = {"Content-Type": "multipart/form-data; boundary=X"}
    request = urllib.request.Request(form["url"], data="".join(parts).encode(), headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_form_that_the_upload_key_signed_puts_what_it_may_put(aws: Enforcing) -> None:
    allowed = aws.uploader("s3").generate_presigned_post(aws.bucket, "digits/incoming/${filename}")
    denied = aws.uploader("s3").generate_presigned_post(aws.bucket, "digits/models/${filename}")
    unsigned = {"url": allowed["url"], "fields": {"key": "digits/incoming/b.jpg"}}

    assert posted(allowed) == 204
    assert aws.root("s3").get_object(Bucket=aws.bucket, Key="digits/incoming/a.jpg")["Body"].read() == b"abc"
    assert posted(denied) == 403
    assert posted(unsigned) == 403
    assert posted(allowed, without="signature") == 400
    allowed["fields"]["signature"] = denied["fields"]["signature"]
    assert posted(allowed) == 403


def test_the_upload_key_puts_images_and_reads_predictions_and_nothing_else(aws: Enforcing) -> None:
    s3, bucket = aws.uploader("s3"), aws.bucket
    s3.put_object(Bucket=bucket, Key="digits/incoming/a.jpg", Body=b"image")
    aws.root("s3").put_object(Bucket=bucket, Key="digits/predictions/b.json", Body=b"record")

    assert s3.get_object(Bucket=bucket, Key="digits/predictions/b.json")["Body"].read() == b"record"
    assert s3.list_objects_v2(Bucket=bucket, Prefix="digits/predictions/b")["KeyCount"] == 1
    for call, request in (
        (s3.put_object, {"Key": "digits/dataset/a.jpg", "Body": b"image"}),
        (s3.put_object, {"Key": "digits/predictions/b.json", "Body": b"other"}),
        (s3.get_object, {"Key": "digits/incoming/a.jpg"}),
        (s3.delete_object, {"Key": "digits/incoming/a.jpg"}),
        (s3.list_objects_v2, {}),
    ):
        code, message = refusal(call, Bucket=bucket, **request)
        assert (code, "user/image-classifier-uploads" in message) == ("AccessDenied", True)
    assert refusal(aws.uploader("sagemaker").list_models)[0] == "AccessDeniedException"
    assert refusal(aws.uploader("lambda").list_functions)[0] == "AccessDeniedException"


def test_a_write_with_if_match_needs_the_right_to_read(aws: Enforcing) -> None:
    request = {"Bucket": aws.bucket, "Key": "digits/incoming/once.jpg", "Body": b"image"}
    etag = aws.uploader("s3").put_object(**request, IfNoneMatch="*")["ETag"]

    code, message = refusal(aws.uploader("s3").put_object, **request, IfMatch=etag)

    assert (code, "not authorized to perform: s3:GetObject" in message) == ("AccessDenied", True)
    assert aws.airflow("s3").put_object(**request, IfMatch=etag)["ETag"] == etag


def test_a_write_with_tags_or_an_acl_needs_the_right_to_set_them(aws: Enforcing) -> None:
    request = {"Bucket": aws.bucket, "Key": "a/incoming/image.jpg", "Body": b"image"}
    for more, action in (({"Tagging": "a=b"}, "s3:PutObjectTagging"), ({"ACL": "private"}, "s3:PutObjectAcl")):
        code, message = refusal(aws.uploader("s3").put_object, **request, **more)
        assert (code, action in message) == ("AccessDenied", True)


def test_airflow_may_do_what_its_policy_says_and_nothing_else(aws: Enforcing) -> None:
    s3, sagemaker, functions = (aws.airflow(service) for service in ("s3", "sagemaker", "lambda"))
    s3.put_object(Bucket=aws.bucket, Key="digits/dataset/a.jpg", Body=b"image")
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    assert refusal(sagemaker.describe_endpoint, EndpointName="image-classifier-a")[0] == "ValidationException"
    assert refusal(functions.get_function, FunctionName="image-classifier-a")[0] == "ResourceNotFoundException"

    assert refusal(s3.create_bucket, Bucket="another-bucket")[0] == "AccessDenied"
    assert refusal(sagemaker.describe_endpoint, EndpointName="other")[0] == "AccessDeniedException"
    assert refusal(functions.get_function, FunctionName="other")[0] == "AccessDeniedException"
    assert refusal(aws.airflow("iam").create_user, UserName="other")[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "decision"), [("sagemaker.amazonaws.com", "allowed"), ("ec2.amazonaws.com", "implicitDeny")]
)
def test_a_simulation_takes_the_service_that_a_role_is_passed_to(aws: Enforcing, service: str, decision: str) -> None:
    entry = {"ContextKeyName": "iam:PassedToService", "ContextKeyValues": [service], "ContextKeyType": "string"}

    answer = aws.root("iam").simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::000000000000:user/image-classifier-airflow",
        ActionNames=["iam:PassRole"],
        ResourceArns=[aws.settings["IMAGE_CLASSIFIER_SAGEMAKER_ROLE_ARN"]],
        ContextEntries=[entry],
    )

    assert [one["EvalDecision"] for one in answer["EvaluationResults"]] == [decision]


def test_airflow_may_look_for_logs_and_alarms(aws: Enforcing) -> None:
    logs = aws.airflow("logs")

    assert logs.describe_log_groups(logGroupNamePrefix="/aws/none")["logGroups"] == []
    assert aws.airflow("cloudwatch").describe_alarms(AlarmNames=["none"])["MetricAlarms"] == []
    request = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamName": "image-classifier-a/algo-1"}
    assert refusal(logs.delete_log_stream, **request)[0] == "ResourceNotFoundException"
    assert refusal(logs.delete_log_stream, **{**request, "logStreamName": "other"})[0] == "AccessDeniedException"


def test_a_role_is_passed_to_its_own_service_alone(aws: Enforcing) -> None:
    function_role = aws.settings["IMAGE_CLASSIFIER_FUNCTION_ROLE_ARN"]
    training_role = aws.settings["IMAGE_CLASSIFIER_SAGEMAKER_ROLE_ARN"]
    container = {"Image": IMAGE}
    create_model = aws.airflow("sagemaker").create_model
    create_function = aws.airflow("lambda").create_function

    model = {"ModelName": "image-classifier-m", "PrimaryContainer": container}
    create_model(**model, ExecutionRoleArn=training_role)
    create_function(**aws.function(FunctionName="image-classifier-passed"))

    for call, request, role in (
        (create_model, {**model, "ModelName": "image-classifier-n", "ExecutionRoleArn": function_role}, function_role),
        (create_function, aws.function(Role=training_role), training_role),
    ):
        code, message = refusal(call, **request)
        assert code == "AccessDeniedException"
        assert f"is not authorized to perform: iam:PassRole on resource: {role}" in message


def test_airflow_lets_s3_call_a_function_and_nobody_else(aws: Enforcing) -> None:
    functions = aws.airflow("lambda")
    functions.create_function(**aws.function(FunctionName="image-classifier-called"))
    request = {"FunctionName": "image-classifier-called", "Action": "lambda:InvokeFunction"}

    functions.add_permission(**request, StatementId="s3", Principal="s3.amazonaws.com")

    refused = refusal(functions.add_permission, **request, StatementId="other", Principal="sns.amazonaws.com")
    assert refused[0] == "AccessDeniedException"


def test_a_function_works_with_its_role(aws: Enforcing) -> None:
    source = """
import boto3
def handler(event, context):
    s3 = boto3.client("s3")
    s3.get_object(Bucket=event["bucket"], Key="digits/incoming/f")
    try:
        s3.get_object(Bucket=event["bucket"], Key="digits/dataset/f")
    except s3.exceptions.ClientError as error:
        return error.response["Error"]
"""
    for key in ("digits/incoming/f", "digits/dataset/f"):
        aws.root("s3").put_object(Bucket=aws.bucket, Key=key, Body=b"image")
    aws.airflow("lambda").create_function(**aws.function(Code={"ZipFile": aws.zipped(source)}, Timeout=30))
    payload = json.dumps({"bucket": aws.bucket})

    answer = aws.airflow("lambda").invoke(FunctionName="image-classifier-iam", Payload=payload)

    error = json.loads(answer["Payload"].read())
    assert error["Code"] == "AccessDenied"
    role = aws.settings["IMAGE_CLASSIFIER_FUNCTION_ROLE_ARN"].rsplit("/", 1)[-1]
    assert f"assumed-role/{role}/image-classifier-iam" in error["Message"]


def test_a_function_stores_no_record_without_its_statement(aws: Enforcing) -> None:
    source = """
import boto3
def handler(event, context):
    boto3.client("s3").put_object(Bucket=event["bucket"], Key="digits/predictions/f.json", Body=b"{}")
"""
    name, payload = "image-classifier-records", json.dumps({"bucket": aws.bucket})
    functions = aws.airflow("lambda")
    functions.create_function(**aws.function(FunctionName=name, Code={"ZipFile": aws.zipped(source)}, Timeout=30))
    assert "FunctionError" not in functions.invoke(FunctionName=name, Payload=payload)

    with without(aws.root("iam"), "FunctionPolicy", "KeepPredictions"):
        answer = functions.invoke(FunctionName=name, Payload=payload)

    assert "s3:PutObject" in answer["Payload"].read().decode()


def test_a_training_job_works_with_its_role(aws: Enforcing) -> None:
    aws.root("s3").put_object(Bucket=aws.bucket, Key="digits/secret/a.jpg", Body=b"image")
    role, name = aws.settings["IMAGE_CLASSIFIER_SAGEMAKER_ROLE_ARN"], "image-classifier-role"
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{aws.bucket}/digits/secret/"}
    channel = {"DataSource": {"S3DataSource": source}, "ContentType": "application/x-image"}
    hyperparameters = {"num_classes": "2", "num_training_samples": "1", "mini_batch_size": "1", "epochs": "1"}
    names = ("train", "validation", "train_lst", "validation_lst")
    sagemaker = aws.airflow("sagemaker")
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=role,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={**hyperparameters, "image_shape": "3,32,32", "resize": "32"},
        InputDataConfig=[{"ChannelName": each, **channel} for each in names],
        OutputDataConfig={"S3OutputPath": f"s3://{aws.bucket}/digits/models/"},
        ResourceConfig={"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )

    def ended() -> Any:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in {"Failed", "Completed"} else None

    job = until(ended, seconds=60)
    assert job["TrainingJobStatus"] == "Failed"
    assert (
        f"assumed-role/{role.rsplit('/', 1)[-1]}/{name} is not authorized to perform: s3:GetObject"
        in (job["FailureReason"])
    )


def test_what_iam_allows_is_recorded_with_its_context(aws: Enforcing) -> None:
    role = aws.settings["IMAGE_CLASSIFIER_SAGEMAKER_ROLE_ARN"]
    tags = [{"Key": "image-classifier", "Value": "digits"}]
    model = {"ModelName": "image-classifier-r", "PrimaryContainer": {"Image": IMAGE}}
    aws.airflow("sagemaker").create_model(**model, ExecutionRoleArn=role, Tags=tags)

    calls = [json.loads(line) for line in (aws.state / "calls.jsonl").read_text().splitlines()]

    user = "arn:aws:iam::000000000000:user/image-classifier-airflow"
    arn = "arn:aws:sagemaker:us-east-1:000000000000:model/image-classifier-r"
    context = {"aws:RequestTag/image-classifier": "digits", "aws:TagKeys": ["image-classifier"]}
    assert {"principal": user, "action": "sagemaker:CreateModel", "resource": arn, "context": context} in calls
    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert {"principal": user, "action": "iam:PassRole", "resource": role, "context": passed} in calls


def test_the_keys_are_readable_by_their_owner_alone_and_each_user_has_one(aws: Enforcing) -> None:
    iam = aws.root("iam")
    for user in ("image-classifier-airflow", "image-classifier-uploads"):
        [key] = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        assert key["AccessKeyId"] == aws.keys[user]["access_key"]
    assert (aws.state / "keys.json").stat().st_mode & 0o077 == 0


def test_airflow_changes_and_deletes_mappings_of_its_own_functions_alone(aws: Enforcing) -> None:
    functions, sqs = aws.airflow("lambda"), aws.airflow("sqs")
    queue = sqs.create_queue(QueueName="image-classifier-mapped", Attributes={"VisibilityTimeout": "180"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws.airflow("lambda").create_function(**aws.function(FunctionName="image-classifier-mapped"))
    aws.root("lambda").create_function(**aws.function(FunctionName="other"))

    ours = functions.create_event_source_mapping(FunctionName="image-classifier-mapped", EventSourceArn=arn)["UUID"]
    other = aws.root("lambda").create_event_source_mapping(FunctionName="other", EventSourceArn=arn)["UUID"]

    functions.update_event_source_mapping(UUID=ours, BatchSize=5)
    functions.delete_event_source_mapping(UUID=ours)
    assert refusal(functions.delete_event_source_mapping, UUID=other)[0] == "AccessDeniedException"
