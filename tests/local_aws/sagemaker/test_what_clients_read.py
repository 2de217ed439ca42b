"""Checks answers that SDK v2 and v3, the AWS CLI and boto3 depend on."""

import datetime

import pytest


def test_a_job_without_an_artifact_shows_no_model_artifacts(server, name, job_request, job_log, until):
    """SDK v3 cannot read an empty structure; SDK v2's attach needs KmsKeyId."""
    server.sagemaker.create_training_job(**job_request(name, hyperparameters={"behaviour": "stubborn"}))
    until(lambda: "waiting" in job_log(name))
    running = server.job(name)
    server.sagemaker.stop_training_job(TrainingJobName=name)

    assert "ModelArtifacts" not in running
    assert "FinalMetricDataList" not in running
    assert running["OutputDataConfig"]["KmsKeyId"] == ""
    assert "ModelArtifacts" not in server.ended_job(name)


def test_every_value_of_a_metric_is_in_cloudwatch(server, cloudwatch, name, job_request, with_metrics, until):
    server.sagemaker.create_training_job(**with_metrics(job_request(name)))
    job = server.ended_job(name)

    found = until(
        lambda: cloudwatch.get_metric_statistics(
            Namespace="/aws/sagemaker/TrainingJobs",
            MetricName="validation:accuracy",
            Dimensions=[{"Name": "TrainingJobName", "Value": name}],
            StartTime=job["TrainingStartTime"] - datetime.timedelta(minutes=1),
            EndTime=job["TrainingEndTime"] + datetime.timedelta(minutes=1),
            Period=60,
            Statistics=["SampleCount", "Sum"],
        )["Datapoints"]
    )

    assert sum(point["SampleCount"] for point in found) == 2
    assert sum(point["Sum"] for point in found) == pytest.approx(0.65 + 0.5)


def test_the_built_in_algorithm_shows_its_own_metrics(server, name, job_request):
    image = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    server.sagemaker.create_training_job(**job_request(name, AlgorithmSpecification=algorithm))

    shown = server.ended_job(name)["AlgorithmSpecification"]["MetricDefinitions"]

    assert [definition["Name"] for definition in shown] == ["train:accuracy", "validation:accuracy"]


def test_the_metrics_of_the_built_in_algorithm_are_not_to_be_defined(server, name, job_request, refusal):
    image = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    algorithm["MetricDefinitions"] = [{"Name": "loss", "Regex": "loss=(.*)"}]

    code, message = refusal(server.sagemaker.create_training_job, **job_request(name, AlgorithmSpecification=algorithm))

    assert (code, message[:45]) == ("ValidationException", "You can't override the metric definitions for")


def test_a_page_is_cut_before_its_jobs_are_filtered_by_status(server, name, job_request):
    for number, behaviour in enumerate(("fail", "complete")):
        server.sagemaker.create_training_job(
            **job_request(f"{name}-{number}", hyperparameters={"behaviour": behaviour})
        )
        server.ended_job(f"{name}-{number}")

    def listed(**more):
        answer = server.sagemaker.list_training_jobs(NameContains=name, StatusEquals="Completed", **more)
        return [job["TrainingJobName"] for job in answer["TrainingJobSummaries"]], answer.get("NextToken")

    first, token = listed(MaxResults=1)
    assert first == []
    assert listed(MaxResults=1, NextToken=token) == ([f"{name}-1"], None)
    assert listed() == ([f"{name}-1"], None)


def test_training_jobs_are_listed_oldest_first_unless_asked_otherwise(server, name, job_request):
    for number in range(2):
        server.sagemaker.create_training_job(**job_request(f"{name}-{number}"))

    def listed(**more):
        answer = server.sagemaker.list_training_jobs(NameContains=name, **more)
        return [job["TrainingJobName"] for job in answer["TrainingJobSummaries"]]

    assert listed() == [f"{name}-0", f"{name}-1"]
    assert listed(SortOrder="Descending") == [f"{name}-1", f"{name}-0"]


def test_no_job_is_listed_that_keeps_a_warm_pool(server, name, job_request):
    server.sagemaker.create_training_job(**job_request(name))

    found = server.sagemaker.list_training_jobs(NameContains=name, WarmPoolStatusEquals="Available")

    assert found["TrainingJobSummaries"] == []


def test_a_job_with_a_retry_strategy_starts_again_after_an_internal_error(server, name, job_request):
    strategy = {"RetryStrategy": {"MaximumRetryAttempts": 2}}
    server.plan({"fault": "job_fails", "reason": "InternalServerError: lost", "where": {"TrainingJobName": name}})
    server.sagemaker.create_training_job(**job_request(name, **strategy))

    job = server.ended_job(name)

    states = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert states.count("Starting") == 2
    assert (job["TrainingJobStatus"], job["RetryStrategy"]) == ("Completed", strategy["RetryStrategy"])


@pytest.mark.parametrize(
    ("reason", "starts"), [("InternalServerError: lost", 3), ("AlgorithmError: broken", 1)], ids=["internal", "own"]
)
def test_retries_end_with_the_reason_of_the_last(server, name, job_request, reason, starts):
    failure = {"fault": "job_fails", "reason": reason, "times": None, "where": {"TrainingJobName": name}}
    server.plan(failure)
    server.sagemaker.create_training_job(**job_request(name, RetryStrategy={"MaximumRetryAttempts": 2}))

    job = server.ended_job(name)

    states = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert (states.count("Starting"), job["FailureReason"]) == (starts, reason)


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ([("aws:mine", "1")], "Tag keys that start with aws: are reserved for AWS; found aws:mine."),
        ([("a", "1"), ("a", "2")], "Tag keys must be unique for a resource; found more than once: a."),
        ([(str(number), "") for number in range(51)], "Member must have length less than or equal to 50"),
    ],
    ids=["reserved", "twice", "too many"],
)
def test_tags_that_aws_refuses_are_refused(server, in_service, name, job_request, refusal, tags, sentence):
    given = [{"Key": key, "Value": value} for key, value in tags]
    arn = server.endpoint(in_service)["EndpointArn"]

    created = refusal(server.sagemaker.create_training_job, **job_request(name, Tags=given))
    added = refusal(server.sagemaker.add_tags, ResourceArn=arn, Tags=given)

    assert [created[0], added[0]] == ["ValidationException"] * 2
    assert sentence in created[1]
    assert sentence in added[1]


def test_a_resource_has_at_most_50_tags(server, in_service, refusal):
    arn = server.endpoint(in_service)["EndpointArn"]
    server.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": f"k{number}", "Value": ""} for number in range(50)])

    code, message = refusal(server.sagemaker.add_tags, ResourceArn=arn, Tags=[{"Key": "one-more", "Value": ""}])
    server.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "k1", "Value": "another value"}])

    assert (code, message) == ("ValidationException", f"A resource has at most 50 tags; {arn} would have 51.")


def test_weights_and_capacities_change_without_another_endpoint_config(server, in_service):
    change = {"VariantName": in_service, "DesiredWeight": 2.0, "DesiredInstanceCount": 2}
    server.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=in_service, DesiredWeightsAndCapacities=[change]
    )
    during = server.endpoint(in_service)
    after = server.finished_endpoint(in_service)

    assert (during["EndpointStatus"], during["ProductionVariants"][0]["DesiredInstanceCount"]) == ("Updating", 2)
    variant = after["ProductionVariants"][0]
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", in_service)
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (2, 2.0)
    answer = server.runtime.invoke_endpoint(EndpointName=in_service, Body=b"hello")
    assert answer["Body"].read() == b"hello"


def test_weights_of_an_unknown_variant_are_refused(server, in_service, refusal):
    code, message = refusal(
        server.sagemaker.update_endpoint_weights_and_capacities,
        EndpointName=in_service,
        DesiredWeightsAndCapacities=[{"VariantName": "other", "DesiredInstanceCount": 2}],
    )

    assert code == "ValidationException"
    assert message == (f'The variant name(s) "other" is/are not present within endpoint configuration "{in_service}".')


def test_a_variant_named_twice_in_a_change_of_capacity_is_refused(server, in_service, refusal):
    code, message = refusal(
        server.sagemaker.update_endpoint_weights_and_capacities,
        EndpointName=in_service,
        DesiredWeightsAndCapacities=[{"VariantName": in_service, "DesiredInstanceCount": count} for count in (1, 2)],
    )

    assert (code, message) == (
        "ValidationException",
        f'The variant name "{in_service}" was non-unique within the request.',
    )


def test_a_failed_change_of_capacity_leaves_the_endpoint_as_it_was(server, in_service):
    server.plan({"fault": "failed_update", "after_s": 0.0, "where": {"EndpointName": in_service}})
    change = {"VariantName": in_service, "DesiredInstanceCount": 3}
    server.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=in_service, DesiredWeightsAndCapacities=[change]
    )

    after = server.finished_endpoint(in_service)

    variant = after["ProductionVariants"][0]
    assert (variant["DesiredInstanceCount"], variant["CurrentInstanceCount"]) == (1, 1)
    assert "FailureReason" in after
