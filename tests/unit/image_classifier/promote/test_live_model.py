"""Checks that the live model of a release without a registry is registered, so that people can go back to it."""

from types import SimpleNamespace

import pytest

from image_classifier.contracts.labels import labels_document, labels_sha256
from image_classifier.promote.live_model import WHY, register_live_model

OURS, BUILT_IN = "1.dkr.ecr.us-east-1.amazonaws.com/ours:1", "2.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
ARTIFACT = "s3://pictures/pets/models/job-1/output/model.tar.gz"


class Registry:
    """SageMaker with the model that serves, and a registry whose changes are kept."""

    def __init__(self, refused):
        self.refused, self.registered, self.updates = refused, [], []
        self.models = {"model-1": {"PrimaryContainer": {"Image": BUILT_IN, "ModelDataUrl": ARTIFACT}}}

    def describe_model(self, **request):
        if request["ModelName"] not in self.models:
            raise self.refused("ValidationException", 'Could not find model "arn".')
        return self.models[request["ModelName"]]

    def get_paginator(self, _):
        found = [{"ModelPackageArn": "arn:0", "ModelPackageDescription": "job-0"}, *self.registered]
        return SimpleNamespace(paginate=lambda **_: [{"ModelPackageSummaryList": found}])

    def create_model_package(self, **request):
        self.registered.append({"ModelPackageArn": "arn:1", **request})
        return {"ModelPackageArn": "arn:1"}

    def update_model_package(self, **request):
        self.updates.append(
            (request["ModelPackageArn"], request["ModelApprovalStatus"], request["ApprovalDescription"])
        )


@pytest.fixture
def sagemaker(refused):
    return Registry(refused)


def register(sagemaker, s3, *, model="model-1"):
    what = {"classifier": "pets", "bucket": "pictures", "group": "image-classifier-pets", "training_job": "job-1"}
    return register_live_model(sagemaker, s3, **what, model=model, own_image=OURS)


def test_it_is_registered_once_and_approved(sagemaker, s3):
    assert [register(sagemaker, s3) for _ in range(2)] == ["arn:1", None]
    [made] = sagemaker.registered
    [container] = made["InferenceSpecification"]["Containers"]
    assert (made["ModelPackageGroupName"], made["ModelPackageDescription"]) == ("image-classifier-pets", "job-1")
    assert (container["Image"], container["ModelDataUrl"]) == (BUILT_IN, ARTIFACT)
    assert sagemaker.updates == [("arn:1", "Approved", WHY)]


@pytest.mark.parametrize(("image", "algorithm"), [(OURS, "own"), (BUILT_IN, "builtin")])
def test_its_algorithm_is_told_by_its_image(sagemaker, s3, image, algorithm):
    sagemaker.models["model-1"]["PrimaryContainer"]["Image"] = image
    register(sagemaker, s3)

    assert sagemaker.registered[0]["CustomerMetadataProperties"] == {"training-job": "job-1", "algorithm": algorithm}


def test_its_labels_are_noted_if_they_are_known(sagemaker, s3):
    s3.put_object(Bucket="pictures", Key="pets/models/job-1/model.json", Body=labels_document(["cat", "dog"]))
    register(sagemaker, s3)

    assert sagemaker.registered[0]["CustomerMetadataProperties"]["labels"] == labels_sha256(("cat", "dog"))


def test_a_model_that_is_gone_is_not_registered(sagemaker, s3):
    assert register(sagemaker, s3, model="model-2") is None
    assert (sagemaker.registered, sagemaker.updates) == ([], [])
