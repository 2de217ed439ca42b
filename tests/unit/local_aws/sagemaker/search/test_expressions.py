"""Checks that Search finds a resource by any of its properties."""

import pytest

from local_aws.sagemaker.protocol.errors import ServiceError
from local_aws.sagemaker.search.expressions import meets

JOB = {
    "TrainingJobName": "digits-1",
    "CreationTime": 1_767_225_600.0,  # 2026-01-01
    "EnableManagedSpotTraining": True,
    "HyperParameters": {"epochs": "5", "a.b": "dotted"},
    "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
    "InputDataConfig": [{"ChannelName": "train", "ContentType": "x"}, {"ChannelName": "test", "ContentType": "y"}],
    "FinalMetricDataList": [{"MetricName": "validation:accuracy", "Value": 0.75}],
    "Tags": [{"Key": "team.name", "Value": "a"}],
}


def one(name, operator, value=None):
    given = {"Name": name, "Operator": operator, "Value": value}
    return {"Filters": [{key: item for key, item in given.items() if item is not None}]}


@pytest.mark.parametrize(
    "expression",
    [
        {},
        one("ModelArtifacts.S3ModelArtifacts", "Equals", "s3://b/model.tar.gz"),
        one("EnableManagedSpotTraining", "Equals", "true"),
        one("TrainingJobName", "NotEquals", "digits-2"),
        one("TrainingJobName", "Contains", "gits"),
        one("TrainingJobName", "In", "digits-0,digits-1"),
        one("HyperParameters.epochs", "GreaterThan", "4"),
        one("HyperParameters.epochs", "LessThanOrEqualTo", "5"),
        one("HyperParameters.a.b", "Equals", "dotted"),
        one("CreationTime", "LessThan", "2026-01-01T00:00:01Z"),
        one("CreationTime", "GreaterThanOrEqualTo", "2026-01-01T00:00:00+00:00"),
        one("Metrics.validation:accuracy", "GreaterThan", "0.7"),
        one("Tags.team.name", "Equals", "a"),
        one("InputDataConfig.ChannelName", "Equals", "test"),
        one("ModelArtifacts", "Exists"),
        one("FailureReason", "NotExists"),
        {"Filters": [*one("A", "Exists")["Filters"], *one("Tags", "Exists")["Filters"]], "Operator": "Or"},
        {"SubExpressions": [one("TrainingJobName", "Equals", "digits-1")]},
        {
            "NestedFilters": [
                {
                    "NestedPropertyName": "InputDataConfig",
                    "Filters": [
                        {"Name": "InputDataConfig.ChannelName", "Value": "train"},
                        {"Name": "InputDataConfig.ContentType", "Value": "x"},
                    ],
                }
            ]
        },
    ],
)
def test_what_holds_is_found(expression):
    assert meets(JOB, expression)


@pytest.mark.parametrize(
    "expression",
    [
        one("TrainingJobName", "Equals", "digits"),
        one("TrainingJobName", "NotEquals", "digits-1"),
        one("HyperParameters.epochs", "GreaterThan", "5"),
        one("HyperParameters.epochs", "LessThan", "5"),
        one("TrainingJobName", "GreaterThan", "4"),
        one("ModelArtifacts", "NotExists"),
        {"Filters": [*one("A", "Exists")["Filters"], *one("Tags", "Exists")["Filters"]]},
        {
            "NestedFilters": [
                {
                    "NestedPropertyName": "InputDataConfig",
                    "Filters": [
                        {"Name": "InputDataConfig.ChannelName", "Value": "train"},
                        {"Name": "InputDataConfig.ContentType", "Value": "y"},
                    ],
                }
            ]
        },
    ],
)
def test_what_does_not_hold_is_not_found(expression):
    assert not meets(JOB, expression)


@pytest.mark.parametrize("wrong", [one("A", "Equals"), one("CreationTime", "LessThan", "soon")])
def test_a_filter_that_says_nothing_is_refused(wrong):
    with pytest.raises(ServiceError):
        meets(JOB, wrong)
