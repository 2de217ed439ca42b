"""Checks that old models are deleted, but not the newest, the live one or those of others."""

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from image_classifier.deploy.old_models import delete_old_models

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "image-classifier-cats"
ARN = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{NAME}"
NEWEST_FIRST = {"NameContains": NAME, "SortBy": "CreationTime", "SortOrder": "Descending"}


def has(aws, kind, names, *, others=()):
    listed = [{f"{kind}Name": name, f"{kind}Arn": ARN, "CreationTime": NOW} for name in names]
    operation = {"EndpointConfig": "list_endpoint_configs", "Model": "list_models"}[kind]
    aws.add_response(operation, {f"{kind}s": listed}, NEWEST_FIRST)
    for name in names:
        owner = "dogs" if name in others else "cats"
        aws.add_response("list_tags", {"Tags": [{"Key": "image-classifier", "Value": owner}]}, {"ResourceArn": ARN})


def serves(aws, config, *, coming=None):
    described = {
        "EndpointName": NAME,
        "EndpointArn": ARN,
        "EndpointConfigName": config,
        "EndpointStatus": "Updating" if coming else "InService",
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        **({"PendingDeploymentSummary": {"EndpointConfigName": coming}} if coming else {}),
    }
    aws.add_response("describe_endpoint", described, {"EndpointName": NAME})


class Configs:
    """Which model each endpoint config names; they are asked for in no order that matters."""

    def __init__(self, monkeypatch, sagemaker, models, *, gone=None):
        variants = {
            config: {"ProductionVariants": [{"VariantName": "job", "ModelName": model}]}
            for config, model in models.items()
        }

        def describe(*, EndpointConfigName):  # noqa: N803 - as botocore calls it
            if EndpointConfigName == gone:
                found = {"Error": {"Code": "ValidationException", "Message": "Could not find endpoint configuration"}}
                raise ClientError(found, "DescribeEndpointConfig")
            return variants[EndpointConfigName]

        monkeypatch.setattr(sagemaker, "describe_endpoint_config", describe)


def named(kind, *numbers):
    return [f"{NAME}-{kind}{number}" for number in numbers]


def deletes(aws, *, configs=(), models=()):
    for config in configs:
        aws.add_response("delete_endpoint_config", {}, {"EndpointConfigName": config})
    for model in models:
        aws.add_response("delete_model", {}, {"ModelName": model})


def test_what_is_older_than_the_newest_goes(sagemaker, aws, monkeypatch):
    configs, models = named("c", 4, 3, 2, 1), named("m", 4, 3, 2, 1)
    Configs(monkeypatch, sagemaker, dict(zip(configs, models, strict=True)))
    has(aws, "EndpointConfig", configs)
    has(aws, "Model", models)
    serves(aws, configs[0])
    deletes(aws, configs=configs[2:], models=models[2:])

    assert delete_old_models(sagemaker, classifier="cats", keep=2) == [*configs[2:], *models[2:]]


@pytest.mark.parametrize("coming", [None, "c1"])
def test_a_config_that_serves_or_starts_stays_with_its_model_however_old(sagemaker, aws, monkeypatch, coming):
    configs, models = named("c", 4, 3, 2, 1), named("m", 4, 3, 2, 1)
    Configs(monkeypatch, sagemaker, dict(zip(configs, models, strict=True)))
    has(aws, "EndpointConfig", configs)
    has(aws, "Model", models)
    serves(aws, configs[0] if coming else configs[3], coming=configs[3] if coming else None)
    deletes(aws, configs=configs[1:3], models=models[1:3])

    assert delete_old_models(sagemaker, classifier="cats", keep=1) == [*configs[1:3], *models[1:3]]


def test_a_model_that_an_older_config_shares_with_a_kept_one_stays(sagemaker, aws, monkeypatch):
    configs, models = named("c", 2, 1), named("m", 2, 1)
    Configs(monkeypatch, sagemaker, {configs[0]: models[1], configs[1]: models[1]})
    has(aws, "EndpointConfig", configs)
    has(aws, "Model", models)
    serves(aws, configs[0])
    deletes(aws, configs=configs[1:])

    assert delete_old_models(sagemaker, classifier="cats", keep=1) == configs[1:]


def test_a_config_that_is_deleted_meanwhile_keeps_no_model(sagemaker, aws, monkeypatch):
    """Its model is older than the newest, and no other config names it."""
    configs, models = named("c", 3, 2, 1), named("m", 3, 2, 1)
    Configs(monkeypatch, sagemaker, {configs[0]: models[0], configs[2]: models[2]}, gone=configs[1])
    has(aws, "EndpointConfig", configs)
    has(aws, "Model", models)
    serves(aws, configs[0])
    deletes(aws, configs=configs[2:], models=models[2:])

    assert delete_old_models(sagemaker, classifier="cats", keep=2) == [*configs[2:], *models[2:]]


def test_what_carries_anothers_tag_is_left_alone(sagemaker, aws, monkeypatch):
    configs = named("c", 2, 1)
    Configs(monkeypatch, sagemaker, {configs[0]: "m"})
    has(aws, "EndpointConfig", configs, others=configs[1:])
    has(aws, "Model", [])
    serves(aws, configs[0])

    assert delete_old_models(sagemaker, classifier="cats", keep=1) == []
