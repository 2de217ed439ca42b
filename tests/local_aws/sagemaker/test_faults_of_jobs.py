"""Checks the faults of training jobs through boto3."""

import time

import pytest

NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)


@pytest.fixture
def spot_request(job_request):
    """A request for a managed spot training job that can go on from its checkpoints."""

    def build(name, *, epochs, max_wait_s=60):
        return job_request(
            name,
            hyperparameters={"behaviour": "go-on", "epochs": str(epochs)},
            EnableManagedSpotTraining=True,
            CheckpointConfig={"S3Uri": f"s3://images/checkpoints/{name}/"},
            StoppingCondition={"MaxRuntimeInSeconds": min(max_wait_s, 60), "MaxWaitTimeInSeconds": max_wait_s},
        )

    return build


def states(job):
    return [transition["Status"] for transition in job["SecondaryStatusTransitions"]]


def test_an_operation_is_refused_as_often_as_the_plan_says(server, plan, name, job_request, refusal):
    create = server.sagemaker.create_training_job
    plan({"fault": "error", "operation": "CreateTrainingJob", "code": "ThrottlingException", "times": 2})

    assert [refusal(create, **job_request(name)) for _ in range(2)] == [("ThrottlingException", "Rate exceeded")] * 2
    assert refusal(server.job, name=name)[0] == "ValidationException"
    create(**job_request(name))
    assert server.ended_job(name)["TrainingJobStatus"] == "Completed"


def test_an_error_of_the_server_has_its_status(server, plan):
    plan({"fault": "error", "operation": "ListModels", "code": "InternalServerError", "message": "We are sorry."})

    with pytest.raises(server.sagemaker.exceptions.ClientError) as caught:
        server.sagemaker.list_models()

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert caught.value.response["Error"] == {"Code": "InternalServerError", "Message": "We are sorry."}


def test_an_answer_that_is_late_is_of_an_operation_that_is_done(server, plan, name, job_request):
    plan({"fault": "late_answer", "operation": "CreateTrainingJob", "seconds": 1.5})
    begin = time.monotonic()

    server.sagemaker.create_training_job(**job_request(name))

    assert time.monotonic() - begin >= 1.5
    assert server.job(name)["TrainingJobStatus"] == "Completed"


def test_a_job_for_which_there_is_no_machine_fails_and_costs_nothing(server, plan, name, job_request):
    plan({"fault": "capacity", "where": {"ResourceConfig.InstanceType": "ml.g4dn.xlarge"}})
    other = {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}
    server.sagemaker.create_training_job(**job_request(name))
    server.sagemaker.create_training_job(**job_request(f"{name}-2", ResourceConfig=other))

    job = server.ended_job(name)

    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", NO_CAPACITY)
    assert states(job) == ["Starting", "Failed"]
    assert {"BillableTimeInSeconds", "TrainingTimeInSeconds", "TrainingStartTime"} & set(job) == set()
    assert server.ended_job(f"{name}-2")["TrainingJobStatus"] == "Completed"


def test_an_interrupted_spot_job_continues_from_its_checkpoint(server, plan, name, spot_request, log_lines):
    plan({"fault": "interrupt_spot", "after_epochs": 2, "wait_s": 2})
    server.sagemaker.create_training_job(**spot_request(name, epochs=8))

    job = server.ended_job(name)

    attempt = ["Starting", "Downloading", "Training"]
    assert states(job) == [*attempt, "Interrupted", *attempt, "Uploading", "Completed"]
    assert job["BillableTimeInSeconds"] < job["TrainingTimeInSeconds"]
    epochs = [line for line in log_lines("/aws/sagemaker/TrainingJobs", f"{name}/algo-1-") if "Epoch[" in line]
    assert "Epoch[0]" in epochs[0]
    assert len(epochs) < 8  # those of the first machine have a log stream of their own


def test_a_repeatedly_interrupted_spot_job_ends_after_its_wait_time(server, plan, name, spot_request):
    plan({"fault": "interrupt_spot", "after_s": 0.1, "wait_s": 0.1, "times": None})
    server.sagemaker.create_training_job(**spot_request(name, epochs=1000, max_wait_s=3))

    job = server.ended_job(name)

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
    assert states(job).count("Interrupted") >= 2
    assert states(job)[-2:] == ["Stopping", "MaxWaitTimeExceeded"]


def test_a_spot_job_that_never_gets_a_machine_waits_and_costs_nothing(server, plan, name, spot_request):
    plan({"fault": "no_spot_capacity"})
    server.sagemaker.create_training_job(**spot_request(name, epochs=1, max_wait_s=1))

    job = server.ended_job(name)

    assert states(job) == ["Starting", "Stopping", "MaxWaitTimeExceeded"]
    assert "BillableTimeInSeconds" not in job


def test_an_on_demand_job_is_never_interrupted(server, plan, name, job_request):
    plan(
        {"fault": "interrupt_spot", "after_s": 0, "times": None},
        {"fault": "no_spot_capacity", "times": None},
    )
    server.sagemaker.create_training_job(**job_request(name))

    assert server.ended_job(name)["TrainingJobStatus"] == "Completed"


def test_a_job_can_be_stopped_while_it_waits_for_a_machine(server, plan, name, spot_request, until):
    plan({"fault": "interrupt_spot", "after_s": 0, "wait_s": 60})
    server.sagemaker.create_training_job(**spot_request(name, epochs=1000))
    until(lambda: server.job(name)["SecondaryStatus"] == "Interrupted")

    server.sagemaker.stop_training_job(TrainingJobName=name)

    assert server.ended_job(name)["SecondaryStatus"] == "Stopped"


def test_a_job_fails_with_the_planned_reason(server, plan, name, job_request):
    reason = "InternalServerError: We encountered an internal error. Please try again."
    plan({"fault": "job_fails", "reason": reason, "after_s": 0.3})
    server.sagemaker.create_training_job(**job_request(name, hyperparameters={"behaviour": "save"}))

    job = server.ended_job(name)

    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", reason)
    assert job["BillableTimeInSeconds"] >= 1


def test_a_job_that_downloads_too_long_exceeds_its_runtime(server, plan, name, job_request):
    plan({"fault": "slow_download", "seconds": 60})
    server.sagemaker.create_training_job(**job_request(name, StoppingCondition={"MaxRuntimeInSeconds": 1}))

    job = server.ended_job(name)

    assert states(job) == ["Starting", "Downloading", "Stopping", "MaxRuntimeExceeded"]
    assert job["TrainingJobStatus"] == "Stopped"


def test_a_quota_is_refused_in_the_words_of_aws(server, plan, name, job_request, refusal):
    quota = {"fault": "quota", "instance_type": "ml.g4dn.xlarge", "operation": "CreateTrainingJob", "limit": 0}
    plan(quota)

    assert refusal(server.sagemaker.create_training_job, **job_request(name)) == (
        "ResourceLimitExceeded",
        "The account-level service limit 'ml.g4dn.xlarge for training job usage' is 0 Instances, with current "
        "utilization of 0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an "
        "increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase "
        "for this quota.",
    )


def test_a_role_that_was_made_a_moment_ago_cannot_be_assumed_yet(server, plan, name, job_request, refusal, until):
    plan({"fault": "role_not_ready", "seconds": 0.5})
    code, message = refusal(server.sagemaker.create_training_job, **job_request(name))

    assert (code, message.partition(". ")[0]) == (
        "ValidationException",
        "Could not assume role arn:aws:iam::000000000000:role/trains",
    )

    def created():
        try:
            return server.sagemaker.create_training_job(**job_request(name))
        except server.sagemaker.exceptions.ClientError:
            return None

    assert until(created)
    assert server.ended_job(name)["TrainingJobStatus"] == "Completed"


def test_a_model_waits_for_its_role_too(server, plan, name, put_model, refusal):
    put_model(server, name)
    found = server.sagemaker.describe_model(ModelName=name)
    model = {"ModelName": f"{name}-2"} | {key: found[key] for key in ("PrimaryContainer", "ExecutionRoleArn")}
    plan({"fault": "role_not_ready", "seconds": 60})

    assert refusal(server.sagemaker.create_model, **model)[1].startswith("Could not assume role ")


def test_a_plan_that_cannot_be_used_is_said_to_everyone(server, plan, refusal):
    plan({"fault": "earthquake"})

    code, message = refusal(server.sagemaker.list_models)

    assert code == "ValidationException"
    assert message.startswith(f"The fault plan {server.fault_plan} cannot be used: entry 1 Input tag 'earthquake'")
