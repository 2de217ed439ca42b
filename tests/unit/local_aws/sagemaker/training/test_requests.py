"""Checks that requests that only AWS could carry out are refused with the name of the member."""

import pytest
from tests.unit.local_aws.sagemaker.refusals import refusal

from local_aws.sagemaker.training.requests import check, new_job


def request(**changes):
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://b/train/"}
    return {
        "TrainingJobName": "a",
        "RoleArn": "arn",
        "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
    } | changes


MANIFEST = {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["source-ref", "class"]}


def channel(**changes):
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://b/train/"}
    return [{"ChannelName": "train", "DataSource": {"S3DataSource": source | changes.pop("source", {})}, **changes}]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"InputDataConfig": channel(InputMode="File", CompressionType="None", RecordWrapperType="None")},
        {"InputDataConfig": channel(InputMode="FastFile")},
        {"InputDataConfig": channel(InputMode="Pipe")},
        {"InputDataConfig": channel(InputMode="Pipe", RecordWrapperType="RecordIO", source=MANIFEST)},
        {"ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 2}},
        {"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/checkpoints/"}},
        {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
        },
    ],
)
def test_a_complete_request_is_accepted(changes):
    assert refusal(check, request(**changes)) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ServerlessJobConfig": {"JobType": "FineTuning"}}, "does not have ServerlessJobConfig; AWS does."),
        (
            {"InputDataConfig": channel(InputMode="Pipe", CompressionType="Gzip")},
            "does not have CompressionType Gzip (channel train)",
        ),
        (
            {"InputDataConfig": channel(InputMode="Pipe", source={"S3DataType": "ManifestFile"})},
            "does not have S3DataType ManifestFile (channel train)",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": "i", "ContainerEntrypoint": ["/bin/false"]}},
            "does not have ContainerEntrypoint",
        ),
        (
            {"OutputDataConfig": {"S3OutputPath": "s3://b/out", "CompressionType": "NONE"}},
            "does not have CompressionType NONE of OutputDataConfig",
        ),
        (
            {"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/mine"}},
            "does not have LocalPath /opt/ml/mine of CheckpointConfig",
        ),
        ({"InputDataConfig": channel() * 2}, "Duplicate channel names in InputDataConfig: train, train."),
        ({"ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 0}}, "found InstanceCount 0."),
        ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds."),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 8},
            },
            "Invalid MaxWaitTimeInSeconds.",
        ),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 9},
                "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "KeepAlivePeriodInSeconds": 60},
            },
            "KeepAlivePeriodInSeconds is not accepted with EnableManagedSpotTraining.",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 2_419_201}},
            "MaxRuntimeInSeconds is at most 2419200, which are 28 days; found 2419201.",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": "i", "AlgorithmName": "a", "TrainingInputMode": "File"}},
            "either an AlgorithmName or a TrainingImage; found both.",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 9}},
            "MaxWaitTimeInSeconds is only accepted with EnableManagedSpotTraining.",
        ),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "i",
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "loss", "Regex": "loss=("}],
                }
            },
            "The Regex of metric loss is not a regular expression: loss=(",
        ),
    ],
)
def test_what_this_server_cannot_do_is_refused_by_name(changes, sentence):
    code, message = refusal(check, request(**changes))

    assert code == "ValidationException"
    assert sentence in message


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            channel(source=MANIFEST),
            "AugmentedManifestFile can only be used if the Channel's input mode is Pipe; channel train has File.",
        ),
        (
            channel(source=MANIFEST, InputMode="FastFile"),
            "AugmentedManifestFile can only be used if the Channel's input mode is Pipe; channel train has FastFile.",
        ),
        (
            channel(CompressionType="Gzip"),
            "Invalid compression type for channel train: File mode only supports NONE, got Gzip instead",
        ),
        (
            channel(RecordWrapperType="RecordIO"),
            "Invalid record wrapper type for channel train: File mode only supports NONE, got RecordIO instead",
        ),
        (
            channel(InputMode="Pipe", source={"S3DataType": "AugmentedManifestFile"}),
            "AttributeNames are required with S3DataType AugmentedManifestFile (channel train).",
        ),
    ],
)
def test_what_aws_has_in_pipe_mode_alone_is_refused_in_its_words(given, sentence):
    assert refusal(check, request(InputDataConfig=given)) == ("ValidationException", sentence)


def test_a_new_job_has_no_artifact_and_the_defaults_of_aws():
    job = new_job(request(), arn="arn", now=1.0)

    assert "ModelArtifacts" not in job
    assert "FinalMetricDataList" not in job
    assert "MetricDefinitions" not in job["AlgorithmSpecification"]
    assert job["OutputDataConfig"] == {"KmsKeyId": "", "CompressionType": "GZIP", "S3OutputPath": "s3://b/out"}
    assert [job["InputDataConfig"][0][name] for name in ("CompressionType", "RecordWrapperType")] == ["None", "None"]
    assert (job["EnableManagedSpotTraining"], job["EnableNetworkIsolation"]) == (False, False)


def test_what_a_request_says_is_shown_as_it_is():
    given = channel(InputMode="Pipe", RecordWrapperType="RecordIO")
    job = new_job(request(InputDataConfig=given, EnableManagedSpotTraining=True), arn="arn", now=1.0)

    assert job["InputDataConfig"][0]["RecordWrapperType"] == "RecordIO"
    assert job["EnableManagedSpotTraining"] is True


def test_the_images_own_metrics_come_before_those_of_the_request():
    own, asked = {"Name": "train:accuracy", "Regex": "a=(.*)"}, {"Name": "loss", "Regex": "l=(.*)"}
    algorithm = {"TrainingImage": "i", "TrainingInputMode": "File", "MetricDefinitions": [asked]}
    job = new_job(request(AlgorithmSpecification=algorithm), arn="arn", now=1.0, metric_definitions=[own])

    assert job["AlgorithmSpecification"]["MetricDefinitions"] == [own, asked]
