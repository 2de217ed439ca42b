"""Checks how the values of a job's metrics reach CloudWatch."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import EndpointConnectionError

from local_aws.sagemaker.store import Store
from local_aws.sagemaker.training import metric_data
from local_aws.sagemaker.training.metric_data import JobMetrics
from local_aws.sagemaker.training.progress import TRAINING_JOB

KIND = TRAINING_JOB.kind

JOB = {
    "TrainingJobName": "a",
    "AlgorithmSpecification": {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]},
}


class CloudWatch:
    def __init__(self):
        self.away = False
        self.puts = []

    def put_metric_data(self, **request):
        if self.away:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1")
        self.puts.append(request)

    @property
    def values(self):
        return [value["Value"] for put in self.puts for value in put["MetricData"]]


@pytest.fixture
def cloudwatch():
    return CloudWatch()


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.sqlite")
    store.add(KIND, "a", JOB)
    yield store
    store.close()


@pytest.fixture
def metrics(cloudwatch, store):
    return JobMetrics(JOB, aws=SimpleNamespace(metrics=cloudwatch), store=store)


def test_a_value_is_sent_once_under_the_jobs_name(metrics, cloudwatch):
    metrics.read_lines(["loss=0.5"])
    metrics.send()
    metrics.send()

    (put,) = cloudwatch.puts
    (value,) = put["MetricData"]
    assert put["Namespace"] == "/aws/sagemaker/TrainingJobs"
    assert (value["MetricName"], value["Value"]) == ("loss", 0.5)
    assert value["Dimensions"] == [{"Name": "TrainingJobName", "Value": "a"}]


def test_values_wait_for_a_cloudwatch_that_is_away(metrics, cloudwatch):
    cloudwatch.away = True
    metrics.read_lines(["loss=0.5"])
    metrics.send()
    metrics.read_lines(["loss=0.25"])
    cloudwatch.away = False
    metrics.send()

    assert cloudwatch.values == [0.5, 0.25]


def test_no_put_holds_more_values_than_cloudwatch_takes(metrics, cloudwatch):
    metrics.read_lines(["loss=1"] * 2_500)
    metrics.send()

    assert [len(put["MetricData"]) for put in cloudwatch.puts] == [1_000, 1_000, 500]


def test_the_newest_values_are_kept_when_there_are_too_many(metrics, cloudwatch, monkeypatch):
    monkeypatch.setattr(metric_data, "MAX_PENDING", 2)
    metrics.read_lines(["loss=1", "loss=2", "loss=3"])
    metrics.send()

    assert cloudwatch.values == [2.0, 3.0]


def test_the_last_values_are_shown_by_describe(metrics, store):
    metrics.read_lines(["loss=0.5", "loss=0.25"])
    metrics.write()

    assert [metric["Value"] for metric in store.get(KIND, "a")["FinalMetricDataList"]] == [0.25]


def test_without_a_value_there_is_no_member_for_it(metrics, store):
    metrics.write()

    assert "FinalMetricDataList" not in store.get(KIND, "a")
