"""Checks the rollback to a version by number or job, and that a rejected version stays rejected."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.promote.registry import (
    LEFT,
    Version,
    rejected_by_a_person,
    trained_model,
    version_to_return_to,
    versions,
)

NEWEST_FIRST = [
    Version("arn:3", 3, "job-3", "Approved"),
    Version("arn:2", 2, "job-2", "Rejected"),
    Version("arn:1", 1, "job-1", "Approved"),
]


@pytest.mark.parametrize(
    ("wanted", "serving", "arn"),
    [("", "job-3", "arn:1"), ("", "job-1", "arn:3"), ("2", "job-3", "arn:2"), ("job-2", "job-3", "arn:2")],
)
def test_the_version_is_found_by_number_by_job_or_as_the_newest_approved(wanted, serving, arn):
    assert version_to_return_to(NEWEST_FIRST, wanted=wanted, serving=serving).arn == arn


@pytest.mark.parametrize(
    ("wanted", "known", "words"),
    [
        ("7", NEWEST_FIRST, "no version '7'"),
        ("3", NEWEST_FIRST, "no version '3'"),
        ("", NEWEST_FIRST[:2], "no approved version"),
    ],
)
def test_a_version_that_is_not_there_or_serves_already_is_refused(wanted, known, words):
    with pytest.raises(ClassifierFileError, match=rf"There is {words} to go back to .* Other versions: 2: job-2"):
        version_to_return_to(known, wanted=wanted, serving="job-3")


class Registry:
    """A registry with one version."""

    def __init__(self, *, approval="Rejected", why=f"{LEFT}it confuses 3 and 8", exists=True):
        self.approval, self.why, self.exists = approval, why, exists

    def describe_model_package_group(self, **_):
        if not self.exists:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "does not exist"}}, "Describe")
        return {}

    def get_paginator(self, _):
        summary = {
            "ModelPackageArn": "arn:1",
            "ModelPackageVersion": 1,
            "ModelPackageDescription": "job-1",
            "ModelApprovalStatus": self.approval,
        }
        return SimpleNamespace(paginate=lambda **_: [{"ModelPackageSummaryList": [summary]}])

    def describe_model_package(self, **_):
        container = {"Image": "image", "ModelDataUrl": "s3://b/model.tar.gz"}
        return {"ApprovalDescription": self.why, "InferenceSpecification": {"Containers": [container]}}


def test_a_version_that_a_person_left_is_known():
    assert rejected_by_a_person(Registry(), "job-1", classifier="pets")


@pytest.mark.parametrize(
    "registry", [Registry(approval="Approved"), Registry(why="It is worse."), Registry(exists=False)]
)
def test_an_approved_or_otherwise_rejected_version_was_not_left(registry):
    assert not rejected_by_a_person(registry, "job-1", classifier="pets")


def test_a_version_tells_what_serves_it():
    [version] = versions(Registry(), group="group")

    model = trained_model(Registry(), version)
    assert (model.training_job, model.image, model.artifact) == ("job-1", "image", "s3://b/model.tar.gz")
