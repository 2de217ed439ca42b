"""Checks that an endpoint without a classifier file is reported."""

import re
from datetime import UTC, datetime

import pytest

from image_classifier.contracts import errors
from image_classifier.watch import unused_endpoints

CREATED = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


class Endpoints:
    """Endpoints by name, each with its tag and where its model lies."""

    def __init__(self, **bucket_of):
        self.bucket_of = {name.replace("_", "-"): bucket for name, bucket in bucket_of.items()}
        self.tag = "image-classifier"

    def get_paginator(self, method):
        return type("Paginator", (), {"paginate": lambda _, **request: [getattr(self, method)(**request)]})()

    def list_endpoints(self, NameContains):  # noqa: N803
        return {
            "Endpoints": [
                {"EndpointName": name, "EndpointArn": f"arn:{name}", "CreationTime": CREATED} for name in self.bucket_of
            ]
        }

    def list_tags(self, ResourceArn):  # noqa: N803
        return {"Tags": [{"Key": self.tag, "Value": "x"}]}

    def describe_endpoint(self, EndpointName):  # noqa: N803
        return {"EndpointConfigName": EndpointName}

    def describe_endpoint_config(self, EndpointConfigName):  # noqa: N803
        return {"ProductionVariants": [{"ModelName": EndpointConfigName}]}

    def describe_model(self, ModelName):  # noqa: N803
        return {"PrimaryContainer": {"ModelDataUrl": f"s3://{self.bucket_of[ModelName]}/models/x/model.tar.gz"}}


def check(endpoints):
    unused_endpoints.check_endpoints_wanted(endpoints, bucket="b", classifiers=["cats"])


def test_an_endpoint_of_no_file_is_named_with_its_age_and_what_to_do():
    check(Endpoints(image_classifier_cats="b"))
    message = "image-classifier-dogs (since 2026-01-02 03:04 UTC). Delete them with the Dag image_classifier_teardown"

    with pytest.raises(errors.UnwantedEndpointError, match=re.escape(message)):
        check(Endpoints(image_classifier_cats="b", image_classifier_dogs="b"))


@pytest.mark.parametrize("endpoint", [{"image_classifier_dogs": "another"}, {"my_image_classifier_dogs": "b"}])
def test_endpoints_of_other_deployments_are_not_reported(endpoint):
    check(Endpoints(**endpoint))

    with pytest.raises(errors.UnwantedEndpointError, match=r"image-classifier-fish \(since [^,]*\)\."):
        check(Endpoints(**endpoint, image_classifier_fish="b"))


def test_an_endpoint_without_our_tag_is_not_reported():
    endpoints = Endpoints(image_classifier_dogs="b")
    with pytest.raises(errors.UnwantedEndpointError):
        check(endpoints)

    endpoints.tag = "team"
    check(endpoints)
