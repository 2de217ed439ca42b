"""Checks the steps that deploy an earlier model again."""

import pytest

from image_classifier.classifier import Classifier
from image_classifier.connect.deployment import Deployment, read_deployment, write_deployment
from image_classifier_airflow.steps import clients, roll_back

BUCKET = "a-bucket"
ALIAS_ARN = "arn:aws:lambda:us-east-1:123456789012:function:image-classifier-pets:live"
PLAN = {
    "training_job": "job-1",
    "endpoint_config": {
        "EndpointConfigName": "config-1",
        "ProductionVariants": [{"InitialInstanceCount": 1, "InstanceType": "ml.c5.large"}],
    },
}


@pytest.mark.parametrize(("deployed", "recorded"), [("queue", "queue"), (None, "paused")])
def test_a_roll_back_keeps_the_trigger_that_is_deployed(aws, monkeypatch, deployed, recorded):
    pets = Classifier(name="pets", source="pets").revised({"trigger": "paused"})
    monkeypatch.setattr(roll_back, "classifier_of", lambda _: pets)
    monkeypatch.setattr(roll_back, "announce_endpoint", lambda *_: None)
    monkeypatch.setattr(clients, "hosting_price", lambda _: lambda _: None)
    if deployed:
        before = Deployment(
            classifier="pets",
            training_job="job-2",
            endpoint_config="config-2",
            function_version="2",
            alias_arn=ALIAS_ARN,
            bucket=BUCKET,
            trigger_mode=deployed,
        )
        write_deployment(aws.s3, before)

    roll_back.record_deployment({"version": "1", "alias_arn": ALIAS_ARN}, PLAN, {"classifier": "pets"})

    stored = read_deployment(aws.s3, bucket=BUCKET, classifier="pets")
    assert (stored.training_job, stored.trigger_mode) == ("job-1", recorded)
