"""Checks that the server and the project's own algorithm agree, with real training of stripes against dots."""

import io
import json
import re
import sys
import tarfile

import numpy as np
import pytest
from PIL import Image

from image_classifier.contracts.training.recordio import ImageRecord, encoded, packed

IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
PROGRAM = f"--image=image-classification={sys.executable} -m image_classification_algorithm"
COUNTS = {"train": 64, "validation": 40}
HYPERPARAMETERS = {
    "num_layers": "20",
    "image_shape": "3,8,8",
    "num_classes": "2",
    "num_training_samples": str(COUNTS["train"]),
    "mini_batch_size": "16",
    "epochs": "6",
    "learning_rate": "0.02",
}


def picture(number):
    """Class 0 has bright rows, class 1 bright columns, both with noise."""
    pixels = np.random.default_rng(number).integers(0, 100, (8, 8, 3), dtype=np.uint8)
    pixels[(slice(None, None, 2), slice(None)) if number % 2 == 0 else (slice(None), slice(None, None, 2))] += 100
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def images(s3):
    """Both splits as RecordIO and as augmented manifests."""
    for split, count in COUNTS.items():
        numbers = range(1000 * len(split), 1000 * len(split) + count)
        records = [packed(ImageRecord((float(number % 2),), number, picture(number))) for number in numbers]
        body = b"".join(encoded(record) for record in records)
        s3.put_object(Bucket="images", Key=f"real/{split}/{split}.rec", Body=body)
        lines = []
        for number in numbers:
            key = f"real/png/{number}.png"
            s3.put_object(Bucket="images", Key=key, Body=picture(number))
            lines.append(json.dumps({"source-ref": f"s3://images/{key}", "class": str(number % 2)}))
        s3.put_object(Bucket="images", Key=f"real/{split}.manifest", Body="\n".join(lines).encode())


@pytest.fixture(scope="module")
def real_server(new_server, tmp_path_factory):
    """A server that runs the real algorithm."""
    server = new_server(tmp_path_factory.mktemp("state")).start(PROGRAM)
    yield server
    server.end()


@pytest.fixture(scope="module")
def train(real_server, images, s3, role):
    """Carry a job of the real algorithm to its end, in Pipe mode; returns its validation accuracy and its artifact."""
    server = real_server

    def run(name, *, kind="records", instances=1, more=None, **hyperparameters):
        request = {
            "TrainingJobName": name,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "Pipe"},
            "RoleArn": role,
            "HyperParameters": HYPERPARAMETERS | hyperparameters,
            "InputDataConfig": [channel(split, kind) for split in COUNTS],
            "OutputDataConfig": {"S3OutputPath": "s3://images/models"},
            "ResourceConfig": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": instances, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 300},
            **(more or {}),
        }
        server.sagemaker.create_training_job(**request)
        job = server.ended_job(name, seconds=300)
        assert (job["TrainingJobStatus"], job.get("FailureReason")) == ("Completed", None)
        metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
        body = s3.get_object(Bucket="images", Key=f"models/{name}/output/model.tar.gz")["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as artifact:
            files = {member.name: artifact.extractfile(member).read() for member in artifact}
        return metrics["validation:accuracy"], files

    return run


@pytest.fixture(scope="module")
def one_instance(train):
    """What one instance makes of RecordIO by pipes."""
    return train("real-records")


def channel(split, kind):
    common = {"ChannelName": split, "ContentType": "application/x-recordio"}
    source = {"S3DataDistributionType": "FullyReplicated"}
    if kind == "manifest":
        source |= {
            "S3DataType": "AugmentedManifestFile",
            "S3Uri": f"s3://images/real/{split}.manifest",
            "AttributeNames": ["source-ref", "class"],
        }
        return {**common, "RecordWrapperType": "RecordIO", "DataSource": {"S3DataSource": source}}
    source |= {"S3DataType": "S3Prefix", "S3Uri": f"s3://images/real/{split}/"}
    return {**common, "DataSource": {"S3DataSource": source}}


def test_the_algorithm_trains_on_recordio_that_comes_by_pipes(one_instance):
    accuracy, files = one_instance

    assert accuracy >= 0.9
    assert "image-classification-symbol.json" in files


def test_an_augmented_manifest_that_comes_by_pipes_gives_the_same_model(one_instance, train):
    accuracy, files = train("real-manifest", kind="manifest")

    assert (accuracy, params(files)) == (one_instance[0], params(one_instance[1]))


def test_two_instances_give_one_model_that_is_as_good_as_that_of_one(one_instance, train, log_lines):
    batch_size = int(HYPERPARAMETERS["mini_batch_size"]) // 2  # of each, so that both together take as many images
    accuracy, files = train("real-two", instances=2, mini_batch_size=str(batch_size), kv_store="dist_sync")

    assert accuracy == pytest.approx(one_instance[0], abs=0.1)
    assert len(params(files)) == 1
    first, second = (log_lines("/aws/sagemaker/TrainingJobs", f"real-two/{host}-") for host in ("algo-1", "algo-2"))
    assert any("Epoch[5] Validation-accuracy" in line for line in first)
    assert not any("Epoch[" in line for line in second)


def test_a_spot_job_that_loses_its_machine_continues_with_the_next_epoch(train, real_server, logs):
    epochs = 30  # the log, by which epochs are counted, is read four times a second
    spot = {
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": "s3://images/checkpoints/real-spot/"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 300, "MaxWaitTimeInSeconds": 300},
    }
    real_server.plan({"fault": "interrupt_spot", "after_epochs": 2, "wait_s": 0})

    accuracy, _ = train("real-spot", more=spot, epochs=str(epochs))

    states = [transition["Status"] for transition in real_server.job("real-spot")["SecondaryStatusTransitions"]]
    assert states.count("Interrupted") == 1
    first, second = epochs_by_machine(logs, "real-spot")
    assert first[:2] == [0, 1]
    assert second[0] > 0
    assert second[-1] == epochs - 1
    assert accuracy >= 0.9


@pytest.fixture(scope="module")
def model(one_instance, real_server, role):
    """A model of what one instance trained."""
    container = {"Image": IMAGE, "ModelDataUrl": "s3://images/models/real-records/output/model.tar.gz"}
    real_server.sagemaker.create_model(ModelName="real", PrimaryContainer=container, ExecutionRoleArn=role)
    return "real"


def test_a_transform_job_predicts_as_the_endpoint_does(model, real_server, s3, until):
    numbers = range(1000 * len("validation"), 1000 * len("validation") + COUNTS["validation"])
    s3.put_object(Bucket="images", Key="real/png/broken.png", Body=b"no image")
    manifest = json.dumps([{"prefix": "s3://images/real/png/"}, *(f"{number}.png" for number in numbers), "broken.png"])
    s3.put_object(Bucket="images", Key="real/test.manifest", Body=manifest)
    data = {"S3DataType": "ManifestFile", "S3Uri": "s3://images/real/test.manifest"}
    real_server.sagemaker.create_transform_job(
        TransformJobName="real",
        ModelName=model,
        BatchStrategy="SingleRecord",
        TransformInput={"DataSource": {"S3DataSource": data}, "ContentType": "application/x-image"},
        TransformOutput={"S3OutputPath": "s3://images/real-out", "Accept": "application/jsonlines"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    describe = real_server.sagemaker.describe_transform_job
    ended = ("Completed", "Failed", "Stopped")
    job = until(lambda: (job := describe(TransformJobName="real"))["TransformJobStatus"] in ended and job, seconds=120)

    assert job["FailureReason"] == "ClientError: See job logs for more information"
    found = s3.list_objects_v2(Bucket="images", Prefix="real-out/")["Contents"]
    answers = {item["Key"]: s3.get_object(Bucket="images", Key=item["Key"])["Body"].read() for item in found}
    assert sorted(answers) == [f"real-out/{number}.png.out" for number in numbers]
    probabilities = {number: json.loads(answers[f"real-out/{number}.png.out"])["prediction"] for number in numbers}
    right = [number for number in numbers if probabilities[number][number % 2] > 0.5]
    assert len(right) >= 0.9 * len(numbers)
    assert probabilities[numbers[0]] == endpoint_answer(real_server, model, picture(numbers[0]))


def endpoint_answer(server, model, image):
    variant = {"VariantName": "a", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    server.sagemaker.create_endpoint_config(EndpointConfigName="real", ProductionVariants=[variant])
    server.sagemaker.create_endpoint(EndpointName="real", EndpointConfigName="real")
    assert server.finished_endpoint("real")["EndpointStatus"] == "InService"
    answer = server.runtime.invoke_endpoint(EndpointName="real", Body=image, ContentType="application/x-image")
    return json.loads(answer["Body"].read())


def epochs_by_machine(logs, job_name):
    """The epochs that each machine of a job has ended: each has a log stream of its own."""
    group = "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job_name}/")["logStreams"]
    names = sorted(stream["logStreamName"] for stream in streams)
    events = [logs.get_log_events(logGroupName=group, logStreamName=name, startFromHead=True) for name in names]
    ended = re.compile(r"Epoch\[(\d+)\] Validation-accuracy")
    found = [[ended.search(event["message"]) for event in answer["events"]] for answer in events]
    return [[int(match[1]) for match in matches if match] for matches in found]


def params(files):
    return {name: content for name, content in files.items() if name.endswith(".params")}


def test_a_tuning_job_finds_the_best_of_real_trainings_by_their_log(real_server, images, role, until):
    rates = {"Name": "learning_rate", "MinValue": "0.000001", "MaxValue": "0.05", "ScalingType": "Logarithmic"}
    static = {name: value for name, value in HYPERPARAMETERS.items() if name != "learning_rate"} | {"epochs": "3"}
    real_server.sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="real-tuning",
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "RandomSeed": 1,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"ContinuousParameterRanges": [rates]},
        },
        TrainingJobDefinition={
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "Pipe"},
            "RoleArn": role,
            "StaticHyperParameters": static,
            "InputDataConfig": [channel(split, "records") for split in COUNTS],
            "OutputDataConfig": {"S3OutputPath": "s3://images/models"},
            "ResourceConfig": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 300},
        },
    )

    def ended():
        job = real_server.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="real-tuning")
        return job["HyperParameterTuningJobStatus"] in ("Completed", "Failed") and job

    job = until(ended, seconds=280, what="the end of the tuning job")

    assert (job["HyperParameterTuningJobStatus"], job.get("FailureReason")) == ("Completed", None)
    trials = real_server.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="real-tuning", SortBy="FinalObjectiveMetricValue", SortOrder="Descending"
    )["TrainingJobSummaries"]
    assert len(trials) == 3
    for trial in trials:
        metrics = real_server.job(trial["TrainingJobName"])["FinalMetricDataList"]
        values = {metric["MetricName"]: metric["Value"] for metric in metrics}
        assert trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == values["validation:accuracy"]
    best = job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert best == trials[0]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
