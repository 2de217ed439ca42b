"""The record of a deployment, with which tests compare AWS."""

from image_classifier.connect.deployment import Deployment

ALIAS = "arn:aws:lambda:us-east-1:123456789012:function:image-classifier-pets:live"
DEPLOYMENT = Deployment(
    classifier="pets",
    training_job="job-1",
    endpoint_config="config-1",
    function_version="3",
    alias_arn=ALIAS,
    bucket="pictures",
)
