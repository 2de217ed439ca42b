"""Checks which requests for processing jobs are accepted, and the job that is made."""

import pytest

from local_aws.sagemaker.processing import requests
from local_aws.sagemaker.protocol.errors import ServiceError

CLUSTER = {"InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}


def request(*, source=None, output=None, cluster=None, **changes):
    given = {"S3Uri": "s3://b/in/", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"}
    made = {"S3Uri": "s3://b/out", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingJobName": "a",
        "ProcessingInputs": [{"InputName": "in", "S3Input": given | (source or {})}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": made | (output or {})}]},
        "ProcessingResources": {"ClusterConfig": cluster or CLUSTER},
        "AppSpecification": {"ImageUri": "i"},
        "RoleArn": "r",
    } | changes


def test_requests_that_can_be_carried_out_are_accepted():
    requests.check(request())
    requests.check(request(source={"S3DataType": "ManifestFile", "S3InputMode": "File", "S3CompressionType": "None"}))
    requests.check(
        {key: value for key, value in request().items() if not key.startswith(("ProcessingI", "ProcessingO"))}
    )
    managed = [{"InputName": "in", "AppManaged": True, "DatasetDefinition": {}}]
    store = [{"OutputName": "out", "AppManaged": True, "FeatureStoreOutput": {"FeatureGroupName": "f"}}]
    accepted = request(ProcessingInputs=managed, ProcessingOutputConfig={"Outputs": store})
    requests.check(accepted)
    assert requests.brought_inputs(accepted) == requests.sent_outputs(accepted) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"AppSpecification": {"ImageUri": "i", "ContainerEntrypoint": ["/bin/true"]}},
            "This local SageMaker does not have ContainerEntrypoint; AWS does.",
        ),
        (
            {"cluster": {"InstancePreferences": [{"InstanceType": "ml.m5.large"}], "VolumeSizeInGB": 1}},
            "This local SageMaker does not have InstancePreferences; AWS does.",
        ),
        ({"cluster": {"VolumeSizeInGB": 1}}, "ClusterConfig needs InstanceType."),
        (
            {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "in", "S3Output": {}}]}},
            "The names of inputs and outputs must be unique; found in, in.",
        ),
        (
            {"source": {"LocalPath": "/tmp/in"}},
            "LocalPath must be an absolute path below /opt/ml/processing/; found /tmp/in (input in).",
        ),
        (
            {"output": {"LocalPath": "/opt/ml/processing/../x"}},
            "LocalPath must be an absolute path below /opt/ml/processing/; found /opt/ml/processing/../x (output out).",
        ),
        (
            {"source": {"S3InputMode": "Pipe"}},
            "This local SageMaker does not have S3InputMode Pipe (input in); AWS does.",
        ),
        (
            {"source": {"S3CompressionType": "Gzip"}},
            "S3CompressionType Gzip can only be used with S3InputMode Pipe (input in).",
        ),
        (
            {"ProcessingInputs": [{"InputName": "in", "DatasetDefinition": {}}]},
            "This local SageMaker does not have DatasetDefinition (input in); AWS does.",
        ),
        ({"ProcessingInputs": [{"InputName": "in"}]}, "Input in needs S3Input."),
        (
            {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "o", "FeatureStoreOutput": {}}]}},
            "FeatureStoreOutput is only supported with AppManaged (output o).",
        ),
        ({"ProcessingOutputConfig": {"Outputs": [{"OutputName": "o"}]}}, "Output o needs S3Output."),
    ],
)
def test_other_requests_are_refused_with_the_reason(changes, sentence):
    with pytest.raises(ServiceError) as caught:
        requests.check(request(**changes))

    assert (caught.value.code, caught.value.message) == ("ValidationException", sentence)


def test_a_new_job_shows_the_defaults_and_no_tags():
    job = requests.new_job(request(Tags=[{"Key": "k", "Value": "v"}]), arn="arn", now=5.0)

    assert (job["ProcessingJobStatus"], job["CreationTime"]) == ("InProgress", 5.0)
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}
    assert requests.cluster_of(job)["InstanceCount"] == 1
    assert "Tags" not in job
