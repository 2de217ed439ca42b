"""Checks the template: a protected bucket, narrow roles, one output per setting."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

TEMPLATE = Path(__file__).parents[3] / "include" / "infrastructure" / "template.yaml"
MAX_MANAGED_POLICY_CHARACTERS = 6144
WITHOUT_RESOURCE = {
    "AccountConcurrency",
    "PollUploadQueues",
    "WriteMetrics",
    "SignInToRegistry",
    "FindNetwork",
    "FindInSageMaker",
    "LookUpPrices",
}


class Loader(yaml.SafeLoader):
    pass


def _intrinsic(loader: Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    return {suffix: loader.construct_scalar(node)}  # type: ignore[arg-type]


Loader.add_multi_constructor("!", _intrinsic)


@pytest.fixture(scope="module")
def template() -> Any:
    return yaml.load(TEMPLATE.read_text(), Loader=Loader)


@pytest.fixture(scope="module")
def bucket(template: Any) -> Any:
    return template["Resources"]["Bucket"]


def statements(template: Any, name: str) -> dict[str, Any]:
    document = template["Resources"][name]["Properties"]["PolicyDocument"]
    return {statement["Sid"]: statement for statement in document["Statement"]}


def allowing(template: Any) -> list[tuple[str, Any]]:
    return [
        (name, statement)
        for name, resource in template["Resources"].items()
        if "PolicyDocument" in resource["Properties"]
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]


def actions(statement: Any) -> list[str]:
    return statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]


def test_the_bucket_outlives_the_stack(bucket: Any) -> None:
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_nothing_in_the_bucket_can_become_public(bucket: Any) -> None:
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["Properties"]["PublicAccessBlockConfiguration"]) == 4
    assert bucket["Properties"]["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_bucket_is_encrypted_and_versioned(bucket: Any) -> None:
    (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    _, with_kms, without = rule["ServerSideEncryptionByDefault"]["If"]
    assert (with_kms["SSEAlgorithm"], without["SSEAlgorithm"]) == ("aws:kms", "AES256")
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}


def test_old_versions_and_broken_uploads_go_and_predictions_stay(template: Any, bucket: Any) -> None:
    old, broken = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert old["NoncurrentVersionExpiration"] == {"NoncurrentDays": {"Ref": "NoncurrentVersionDays"}}
    assert template["Parameters"]["NoncurrentVersionDays"]["Default"] == 30
    assert broken["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert not {"ExpirationInDays", "ExpirationDate", "Transitions"} & (set(old) | set(broken))


@pytest.mark.parametrize("policy", ["BucketPolicy", "FailureQueuePolicy"])
def test_only_requests_over_tls_are_answered(template: Any, policy: str) -> None:
    statement = statements(template, policy)["OnlyOverTls"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_bucket_policy_covers_the_bucket_and_its_objects(template: Any) -> None:
    resources = statements(template, "BucketPolicy")["OnlyOverTls"]["Resource"]
    assert resources == [{"GetAtt": "Bucket.Arn"}, {"Sub": "${Bucket.Arn}/*"}]


def test_failed_events_are_kept_14_days_encrypted(template: Any) -> None:
    queue = template["Resources"]["FailureQueue"]["Properties"]
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["SqsManagedSseEnabled"] is True


def test_the_failure_queue_outlives_the_stack(template: Any) -> None:
    queue = template["Resources"]["FailureQueue"]

    assert (queue["DeletionPolicy"], queue["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_waiting_events_failures_throttles_and_lost_events_raise_an_alarm(template: Any) -> None:
    alarms = [item["Properties"] for item in template["Resources"].values() if item["Type"] == "AWS::CloudWatch::Alarm"]

    assert {(alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) for alarm in alarms} == {
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"),
        ("AWS/Lambda", "Errors", "Sum"),
        ("AWS/Lambda", "Throttles", "Sum"),
        ("AWS/Lambda", "DestinationDeliveryFailures", "Sum"),
    }
    assert all((alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0) for alarm in alarms)
    assert all(alarm["TreatMissingData"] == "notBreaching" for alarm in alarms)


def test_no_statement_allows_a_wildcard_action(template: Any) -> None:
    assert allowing(template)
    assert not [(name, action) for name, item in allowing(template) for action in actions(item) if "*" in action]


def test_every_resource_is_named_unless_the_action_supports_none(template: Any) -> None:
    assert {item["Sid"] for _, item in allowing(template) if item["Resource"] == "*"} == WITHOUT_RESOURCE


def test_airflow_passes_each_role_to_its_service_only(template: Any) -> None:
    policy = statements(template, "AirflowPolicy")
    passing = [item for _, item in allowing(template) if "iam:PassRole" in actions(item)]
    assert passing == [policy["PassRoleToSageMaker"], policy["PassRoleToLambda"]]
    assert [(item["Resource"], item["Condition"]["StringEquals"]) for item in passing] == [
        (
            [{"GetAtt": f"{role}.Arn"} for role in ("SagemakerRole", "HostingRole", "PreparationRole")],
            {"iam:PassedToService": "sagemaker.amazonaws.com"},
        ),
        ({"GetAtt": "FunctionRole.Arn"}, {"iam:PassedToService": "lambda.amazonaws.com"}),
    ]


def test_airflow_lets_s3_alone_call_functions(template: Any) -> None:
    [statement] = [item for _, item in allowing(template) if "lambda:AddPermission" in actions(item)]
    assert actions(statement) == ["lambda:AddPermission"]
    assert statement["Condition"] == {"StringEquals": {"lambda:Principal": "s3.amazonaws.com"}}


def test_airflow_may_look_prices_up_and_do_nothing_else_with_them(template: Any) -> None:
    pricing = [action for _, item in allowing(template) for action in actions(item) if action.startswith("pricing:")]
    assert pricing == ["pricing:GetProducts"]


def test_airflow_changes_only_what_carries_the_package_s_name(template: Any) -> None:
    policy = statements(template, "AirflowPolicy")
    assert policy["SageMaker"]["Resource"]["Sub"].endswith(":*/image-classifier-*")
    assert policy["Functions"]["Resource"]["Sub"].endswith(":function:image-classifier-*")


def test_the_function_reads_images_and_models_and_writes_predictions_only(template: Any) -> None:
    policy = statements(template, "FunctionPolicy")
    [writing] = [item for item in policy.values() if "s3:PutObject" in actions(item)]
    assert [item["Sub"] for item in writing["Resource"]] == [
        f"${{Bucket.Arn}}/*/{folder}/*" for folder in ("predictions", "thumbnails", "predictions-log")
    ]
    assert actions(writing) == ["s3:GetObject", "s3:PutObject"]  # its check writes with If-Match, which needs both
    assert policy["ReadImages"]["Resource"] == {"Sub": "${Bucket.Arn}/*/incoming/*"}
    assert policy["ReadModels"]["Resource"] == {"Sub": "${Bucket.Arn}/*/models/*/model.json"}
    assert policy["Classify"]["Resource"]["Sub"].endswith(":endpoint/image-classifier-*")


def test_training_cannot_write_below_the_prefix_that_triggers(template: Any) -> None:
    write = statements(template, "TrainingPolicy")["WriteModels"]
    assert [item["Sub"] for item in write["Resource"]] == ["${Bucket.Arn}/*/models/*", "${Bucket.Arn}/*/checkpoints/*"]


@pytest.mark.parametrize(
    ("role", "written"), [("HostingRole", "evaluations/*/output/*"), ("PreparationRole", "dataset/*")]
)
def test_models_write_only_transform_output_and_preparation_data_sets(template: Any, role: str, written: str) -> None:
    policies = [
        resource["Properties"]["PolicyDocument"]["Statement"]
        for resource in template["Resources"].values()
        if {"Ref": role} in resource["Properties"].get("Roles", [])
    ]
    writing = [item for policy in policies for item in policy if "s3:PutObject" in actions(item)]
    assert [item["Resource"] for item in writing] == [{"Sub": "${Bucket.Arn}/*/" + written}]


def test_each_role_is_assumed_by_its_service_alone(template: Any) -> None:
    trusts = {
        name: [item["Principal"] for item in resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }
    assert trusts == {
        "SagemakerRole": [{"Service": "sagemaker.amazonaws.com"}],
        "HostingRole": [{"Service": "sagemaker.amazonaws.com"}],
        "PreparationRole": [{"Service": "sagemaker.amazonaws.com"}],
        "FunctionRole": [{"Service": "lambda.amazonaws.com"}],
    }


def test_no_arn_names_a_partition(template: Any) -> None:
    assert "arn:aws:" not in json.dumps(template["Resources"])


def test_no_resource_but_the_bucket_has_a_name_of_its_own(template: Any) -> None:
    named = {"QueueName", "RoleName", "ManagedPolicyName", "LogGroupName"}
    assert not [name for name, item in template["Resources"].items() if named & set(item["Properties"])]


def test_airflow_s_policy_fits_into_a_managed_policy(template: Any) -> None:
    document = json.dumps(template["Resources"]["AirflowPolicy"]["Properties"]["PolicyDocument"], separators=(",", ":"))
    # References are replaced by names of some length: a bucket's has at most 63 characters.
    assert len(document) + 300 < MAX_MANAGED_POLICY_CHARACTERS


def test_the_outputs_are_the_settings_of_a_deployment(template: Any) -> None:
    named = {item["Description"] for item in template["Outputs"].values()}
    assert {name for name in named if name.startswith("IMAGE_CLASSIFIER_")} == {
        "IMAGE_CLASSIFIER_BUCKET",
        "IMAGE_CLASSIFIER_SAGEMAKER_ROLE_ARN",
        "IMAGE_CLASSIFIER_HOSTING_ROLE_ARN",
        "IMAGE_CLASSIFIER_PREPARATION_ROLE_ARN",
        "IMAGE_CLASSIFIER_FUNCTION_ROLE_ARN",
        "IMAGE_CLASSIFIER_FAILURE_QUEUE_ARN",
        "IMAGE_CLASSIFIER_FUNCTION_RUNTIME",
        "IMAGE_CLASSIFIER_FUNCTION_ARCHITECTURE",
    }


def test_sagemaker_may_join_subnets_that_another_account_shares(template: Any) -> None:
    resources = statements(template, "SagemakerVpcPolicy")["ManageInterfaces"]["Resource"]
    assert [item["Sub"].rpartition(":ec2:")[2] for item in resources] == [
        "${AWS::Region}:${AWS::AccountId}:network-interface/*",
        "${AWS::Region}:*:security-group/*",
        "${AWS::Region}:*:subnet/*",
    ]


@pytest.mark.parametrize("policy", ["KmsPolicy", "AirflowKmsPolicy"])
def test_keys_are_granted_to_the_instances_of_aws_only(template: Any, policy: str) -> None:
    statement = statements(template, policy)["GrantToInstances"]
    assert actions(statement) == ["kms:CreateGrant"]
    assert statement["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
