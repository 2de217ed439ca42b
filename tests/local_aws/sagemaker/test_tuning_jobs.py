"""Checks tuning jobs through boto3: real training jobs, with the metric in their logs."""

import re
import signal
from itertools import pairwise

import pytest

IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/tiny:1"
METRIC = {"Name": "validation:accuracy", "Regex": "Validation-accuracy=([0-9.]+)"}


@pytest.fixture
def tuning_request(job_request):
    """A request for a tuning job of the tiny algorithm over its learning rate."""

    def build(name, *, trials=4, at_once=2, hyperparameters=None, definition=None, **config):
        job = job_request(name)
        learning_rate = {"Name": "learning_rate", "MinValue": "0.001", "MaxValue": "0.5", "ScalingType": "Logarithmic"}
        return {
            "HyperParameterTuningJobName": name[:32],
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian",
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": trials, "MaxParallelTrainingJobs": at_once},
                "ParameterRanges": {
                    "ContinuousParameterRanges": [learning_rate],
                    "IntegerParameterRanges": [{"Name": "mini_batch_size", "MinValue": "8", "MaxValue": "64"}],
                    "CategoricalParameterRanges": [{"Name": "optimizer", "Values": ["sgd", "adam"]}],
                },
            }
            | config,
            "TrainingJobDefinition": {
                "AlgorithmSpecification": {
                    "TrainingImage": IMAGE,
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [METRIC],
                },
                "StaticHyperParameters": {"behaviour": "tune"} | (hyperparameters or {}),
                **{key: job[key] for key in ("RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig")},
                "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            }
            | (definition or {}),
        }

    return build


def tuning_job(server, name):
    return server.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def ended_job(server, name):
    return server.ended(lambda: tuning_job(server, name), status="HyperParameterTuningJobStatus", seconds=180)


def training_jobs(server, name, **options):
    pages = server.sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, PaginationConfig={"PageSize": 2}, **options
    )
    return [item for page in pages for item in page["TrainingJobSummaries"]]


def objective(item):
    return item["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]


def test_a_tuning_job_trains_as_often_as_asked_and_names_the_best(server, name, tuning_request):
    tags = [{"Key": "image-classifier", "Value": "digits"}]
    server.sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name), Tags=tags)

    job = ended_job(server, name)

    assert (job["HyperParameterTuningJobStatus"], job.get("FailureReason")) == ("Completed", None)
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    trials = training_jobs(server, name)
    assert all(re.fullmatch(rf"{name}-00[1-4]-[0-9a-f]{{8}}", trial["TrainingJobName"]) for trial in trials)
    ordered = training_jobs(server, name, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    assert [objective(item) for item in ordered] == sorted((objective(item) for item in trials), reverse=True)
    assert job["BestTrainingJob"]["TrainingJobName"] == ordered[0]["TrainingJobName"]
    for trial in trials:
        tuned = trial["TunedHyperParameters"]
        assert 0.001 <= float(tuned["learning_rate"]) <= 0.5
        assert 8 <= int(tuned["mini_batch_size"]) <= 64
        assert tuned["optimizer"] in ("sgd", "adam")
        assert objective(trial) == pytest.approx(1 - abs(float(tuned["learning_rate"]) - 0.3))
    training = server.job(trials[0]["TrainingJobName"])
    assert training["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert training["HyperParameters"]["_tuning_objective_metric"] == "validation:accuracy"
    assert server.sagemaker.list_tags(ResourceArn=training["TrainingJobArn"])["Tags"] == tags


def test_only_as_many_training_jobs_run_at_once_as_allowed(server, name, tuning_request):
    server.sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, trials=3, at_once=1))

    ended_job(server, name)

    times = sorted((item["CreationTime"], item["TrainingEndTime"]) for item in training_jobs(server, name))
    assert len(times) == 3
    assert all(end <= begin for (_, end), (begin, _) in pairwise(times))


def test_stopping_a_tuning_job_stops_its_training_jobs(server, name, tuning_request, until, refusal):
    waits = {"behaviour": "save"}
    server.sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, hyperparameters=waits))
    until(lambda: len(training_jobs(server, name)) == 2)
    first = training_jobs(server, name)[0]["TrainingJobName"]
    until(lambda: server.job(first)["SecondaryStatus"] == "Training")

    server.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    job = ended_job(server, name)

    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["Stopped"] == 2
    assert "BestTrainingJob" not in job
    again = refusal(server.sagemaker.stop_hyper_parameter_tuning_job, HyperParameterTuningJobName=name)
    assert again[0] == "ValidationException"


def test_a_tuning_job_continues_after_the_server_was_killed(own_server, name, tuning_request, until):
    server = own_server
    request = tuning_request(name, trials=4, at_once=1)
    server.sagemaker.create_hyper_parameter_tuning_job(**request)
    until(lambda: tuning_job(server, name)["TrainingJobStatusCounters"]["Completed"] == 1, seconds=60)

    server.end(signal.SIGKILL)
    server.start()
    job = ended_job(server, name)

    counters = job["TrainingJobStatusCounters"]
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert counters["Completed"] + counters["RetryableError"] == len(training_jobs(server, name)) == 4
    assert counters["Completed"] >= 2


def test_a_stopping_tuning_job_is_stopped_after_a_kill_of_the_server(own_server, name, tuning_request, until):
    server = own_server
    request = tuning_request(name, at_once=1, hyperparameters={"behaviour": "stubborn"})
    server.sagemaker.create_hyper_parameter_tuning_job(**request)
    until(lambda: any(server.job(item["TrainingJobName"]) for item in training_jobs(server, name)))
    server.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)

    server.end(signal.SIGKILL)
    server.start()

    assert ended_job(server, name)["HyperParameterTuningJobStatus"] == "Stopped"
    assert len(training_jobs(server, name)) == 1


def test_a_training_job_that_lags_behind_the_others_is_stopped_early(server, name, tuning_request):
    request = tuning_request(
        name, trials=2, at_once=1, hyperparameters={"later": "lag"}, TrainingJobEarlyStoppingType="Auto"
    )
    server.sagemaker.create_hyper_parameter_tuning_job(**request)

    job = ended_job(server, name)

    assert (job["HyperParameterTuningJobStatus"], job.get("FailureReason")) == ("Completed", None)
    first, second = training_jobs(server, name)
    assert (first["TrainingJobStatus"], second["TrainingJobStatus"]) == ("Completed", "Stopped")
    assert second["ObjectiveStatus"] == "Succeeded"
    assert job["BestTrainingJob"]["TrainingJobName"] == first["TrainingJobName"]


def test_a_tuning_job_whose_training_jobs_all_fail_is_failed(server, name, tuning_request):
    fails = {"behaviour": "fail"}
    server.sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, trials=2, hyperparameters=fails))

    job = ended_job(server, name)

    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("No training job succeeded after 2 attempts.")
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 2


def test_faults_act_on_the_training_jobs_of_a_tuning_job(server, plan, name, tuning_request):
    plan({"fault": "capacity", "where": {"TrainingJobName": f"{name}-001-*"}})
    server.sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, trials=3, at_once=1))

    job = ended_job(server, name)

    assert job["TrainingJobStatusCounters"]["RetryableError"] == 1
    assert job["TrainingJobStatusCounters"]["Completed"] == 2


def test_a_reached_target_ends_the_tuning_job(server, name, tuning_request):
    criteria = {"TargetObjectiveMetricValue": 0.1}
    request = tuning_request(name, trials=50, at_once=1, TuningJobCompletionCriteria=criteria)
    server.sagemaker.create_hyper_parameter_tuning_job(**request)

    assert ended_job(server, name)["HyperParameterTuningJobStatus"] == "Completed"
    assert len(training_jobs(server, name)) < 5


def test_a_name_is_used_once_and_a_missing_job_is_named(server, name, tuning_request, refusal):
    request = tuning_request(name, trials=1, at_once=1)
    server.sagemaker.create_hyper_parameter_tuning_job(**request)

    again = refusal(server.sagemaker.create_hyper_parameter_tuning_job, **request)
    other_case = refusal(
        server.sagemaker.create_hyper_parameter_tuning_job, **request | {"HyperParameterTuningJobName": name.upper()}
    )
    missing = refusal(server.sagemaker.describe_hyper_parameter_tuning_job, HyperParameterTuningJobName="no-such-job")

    assert again == (
        "ResourceInUse",
        f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different name.",
    )
    assert other_case[0] == "ResourceInUse"
    assert missing[0] == "ResourceNotFound"
    assert "can't find a tuning job" in missing[1]
    ended_job(server, name)


def test_what_its_training_jobs_would_be_refused_for_is_refused_at_once(server, plan, name, tuning_request, refusal):
    create = server.sagemaker.create_hyper_parameter_tuning_job
    no_bucket = tuning_request(name, definition={"OutputDataConfig": {"S3OutputPath": "s3://no-such-bucket/out"}})
    quota = {
        "fault": "quota",
        "operation": "CreateHyperParameterTuningJob",
        "instance_type": "ml.g4dn.xlarge",
        "limit": 1,
    }

    assert "no-such-bucket" in refusal(create, **no_bucket)[1]
    plan(quota)
    code, message = refusal(create, **tuning_request(name))
    assert code == "ResourceLimitExceeded"
    assert "a request delta of 2 Instances" in message
    listed = server.sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name)
    assert listed["HyperParameterTuningJobSummaries"] == []


def test_a_tuning_job_has_a_page(server, name, tuning_request, page):
    server.sagemaker.create_hyper_parameter_tuning_job(**tuning_request(name, trials=1, at_once=1))
    ended_job(server, name)

    status, html = page(server, f"hyper-tuning-jobs/{name}")

    (trial,) = training_jobs(server, name)
    assert status == 200
    assert f'<a href="../training-jobs/{trial["TrainingJobName"]}">' in html
    assert str(objective(trial)) in html
