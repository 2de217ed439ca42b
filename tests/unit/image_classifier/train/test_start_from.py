"""Checks that a job starts from the live model only where allowed, and that an unchanged run starts none."""

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from image_classifier.aws.names import incremental_job_name, is_training_job
from image_classifier.train.start_from import from_champion

CHAMPION = "image-classifier-pets-eeeeeeee-00000000"
PLAIN = "image-classifier-pets-ffffffff-00000000"
OWN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1"
BUILTIN = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
FIXED = {"num_layers": "18", "image_shape": "3,224,224", "num_classes": "2"}
ARTIFACT = f"s3://pictures/pets/models/{CHAMPION}/output/model.tar.gz"
REQUEST = {
    "TrainingJobName": PLAIN,
    "AlgorithmSpecification": {"TrainingImage": BUILTIN, "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/some-role-of-ours",
    "HyperParameters": {**FIXED, "epochs": "3"},
    "InputDataConfig": [
        {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/t"}}}
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://pictures/pets/models"},
    "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "CheckpointConfig": {"S3Uri": f"s3://pictures/pets/checkpoints/{PLAIN}/"},
}


class SageMaker:
    """Training jobs by name."""

    def __init__(self, **champion):
        self.jobs = {CHAMPION: described(**champion)}

    def describe_training_job(self, TrainingJobName):  # noqa: N803
        if TrainingJobName not in self.jobs:
            error = {"Code": "ValidationException", "Message": "Requested resource not found."}
            raise ClientError({"Error": error}, "DescribeTrainingJob")
        return self.jobs[TrainingJobName]


def described(image=BUILTIN, **hyperparameters):
    return {
        "HyperParameters": {**FIXED, **hyperparameters},
        "AlgorithmSpecification": {"TrainingImage": image},
        "ModelArtifacts": {"S3ModelArtifacts": ARTIFACT},
        "InputDataConfig": [],
    }


@pytest.fixture
def artifact(s3):
    s3.put_object(Bucket="pictures", Key=ARTIFACT.removeprefix("s3://pictures/"), Body=b"")
    return s3


def parent_of(request):
    [channel] = [one for one in request["InputDataConfig"] if one["ChannelName"] == "model"]
    return channel["DataSource"]["S3DataSource"]["S3Uri"]


def test_a_job_starts_from_the_model_that_serves(artifact):
    start = from_champion(SageMaker(), artifact, REQUEST, champion=CHAMPION)

    assert parent_of(start.request) == ARTIFACT
    assert start.sentence == f"Training starts from {CHAMPION}, which serves."
    assert start.request["CheckpointConfig"]["S3Uri"].endswith(f"/{start.request['TrainingJobName']}/")
    shape = boto3.Session("a", "b", region_name="us-east-1").client("sagemaker").meta.service_model
    validate_parameters(start.request, shape.operation_model("CreateTrainingJob").input_shape)


def test_its_name_is_another_and_a_training_jobs_name(artifact):
    name = from_champion(SageMaker(), artifact, REQUEST, champion=CHAMPION).request["TrainingJobName"]

    assert name != PLAIN
    assert name.startswith("image-classifier-pets-ffffffff-")
    assert is_training_job(name, classifier="pets")


def test_when_its_own_model_serves_an_unchanged_run_finds_the_same_job(artifact):
    sagemaker = SageMaker()
    first = from_champion(sagemaker, artifact, REQUEST, champion=CHAMPION).request
    sagemaker.jobs[first["TrainingJobName"]] = {**described(), "InputDataConfig": first["InputDataConfig"]}

    again = from_champion(sagemaker, artifact, REQUEST, champion=first["TrainingJobName"]).request

    assert again == first


def test_images_and_settings_that_were_trained_from_nothing_stay_trained(artifact):
    sagemaker = SageMaker()
    sagemaker.jobs[PLAIN] = described()

    assert from_champion(sagemaker, artifact, REQUEST, champion=PLAIN).request == REQUEST


@pytest.mark.parametrize(
    ("champion", "words"),
    [
        ({"num_classes": "3"}, "num_classes is 2, and was 3"),
        ({"num_layers": "50"}, "num_layers is 18, and was 50"),
        ({"image_shape": "3,28,28"}, "image_shape is 3,224,224, and was 3,28,28"),
        (
            {"image": OWN},
            "The algorithm is image-classification, and was own",
        ),
    ],
)
def test_what_the_contract_forbids_is_said_and_training_starts_anew(artifact, champion, words):
    start = from_champion(SageMaker(**champion), artifact, REQUEST, champion=CHAMPION)

    assert start.request == REQUEST
    assert words in start.sentence


def test_without_a_model_or_its_artifact_training_starts_from_nothing(s3):
    assert "no model serves" in from_champion(SageMaker(), s3, REQUEST, champion=None).sentence
    assert "is gone" in from_champion(SageMaker(), s3, REQUEST, champion=CHAMPION).sentence
    assert "is gone" in from_champion(SageMaker(), s3, REQUEST, champion="image-classifier-pets-0-0").sentence


def test_a_name_depends_on_the_settings():
    assert incremental_job_name(PLAIN) != incremental_job_name(PLAIN.replace("00000000", "11111111"))
