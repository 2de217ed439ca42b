"""Checks that a run which names a version to promote trains and tunes nothing else."""

from types import SimpleNamespace

import pytest

from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.promote.named import check_before_training
from image_classifier.train.tuning import tuning_jobs

JOB = "image-classifier-pets-01234567-89abcdef"
BEST = "image-classifier-0123456789abcde-002-01234567"
CONFIG = {"Strategy": "Random", "ResourceLimits": {"MaxParallelTrainingJobs": 1}}
PLANNED = {
    "config": {"TrainingJobName": JOB, "ResourceConfig": {}, "StoppingCondition": {}},
    "alternatives": [],
    "accept_time_limit": False,
}
MACHINE = {
    "AlgorithmSpecification": {"TrainingImage": "image"},
    "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge"},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
ON_A_MACHINE = {**PLANNED, "config": {**PLANNED["config"], **MACHINE}}
TUNED = {**PLANNED, "tuning": {"request": {"HyperParameterTuningJobConfig": CONFIG}}}
S3 = SimpleNamespace(head_object=lambda **_: {})


@pytest.fixture
def sagemaker(jobs):
    """Training jobs, and a registry whose version 3 is the model of JOB."""
    version = {"ModelPackageArn": "arn:3", "ModelPackageVersion": 3, "ModelPackageDescription": JOB}
    jobs.describe_model_package_group = lambda **_: {}
    jobs._list_model_packages = lambda _: {"ModelPackageSummaryList": [version]}
    return jobs


def check(sagemaker, wanted, *, planned=PLANNED, only_of_run=None):
    check_before_training(sagemaker, S3, wanted, classifier="pets", planned=planned, only_of_run=only_of_run)


@pytest.mark.parametrize("wanted", [JOB, "3"])
def test_the_model_that_there_is_may_be_named_by_job_and_by_number(sagemaker, wanted):
    sagemaker.has(JOB, "Completed")

    check(sagemaker, wanted)
    with pytest.raises(ClassifierFileError):
        check(sagemaker, f"{wanted}0")


@pytest.mark.parametrize("wanted", ["2", "image-classifier-pets-76543210-89abcdef"])
@pytest.mark.parametrize("is_trained", [True, False])
def test_a_version_of_another_model_is_refused(sagemaker, wanted, is_trained):
    if is_trained:
        sagemaker.has(JOB, "Completed")

    with pytest.raises(ClassifierFileError, match=f"promote_version is '{wanted}', and the model .* is {JOB}"):
        check(sagemaker, wanted)


def test_a_run_that_wants_a_job_of_its_own_names_no_model_that_there_is(sagemaker):
    sagemaker.has(JOB, "Completed")

    with pytest.raises(ClassifierFileError, match=f"is {JOB}-2: run image_classifier_roll_back"):
        check(sagemaker, JOB, only_of_run=("pets_train_and_deploy", "run-1"))


def test_a_completed_job_whose_model_was_deleted_is_trained_again(sagemaker, refused):
    """It would be paid for, under another name than that of the version."""

    def gone(**_):
        raise refused("404", "Not Found", 404)

    sagemaker.has(JOB, "Completed")
    s3, what = SimpleNamespace(head_object=gone), {"classifier": "pets", "planned": ON_A_MACHINE, "only_of_run": None}

    with pytest.raises(ClassifierFileError, match=f"the model .* is {JOB}-2"):
        check_before_training(sagemaker, s3, JOB, **what)


def test_what_a_time_limit_stopped_is_named_only_if_it_is_accepted(sagemaker):
    sagemaker.has(JOB, "Stopped", SecondaryStatus="MaxRuntimeExceeded")

    check(sagemaker, JOB, planned={**ON_A_MACHINE, "accept_time_limit": True})
    with pytest.raises(ClassifierFileError, match=f"the model .* is {JOB}-2"):
        check(sagemaker, JOB, planned=ON_A_MACHINE)


def test_before_anything_is_registered_only_the_job_s_name_is_known(sagemaker, refused):
    def unknown(**_):
        raise refused("ValidationException", "ModelPackageGroup pets does not exist.")

    sagemaker.describe_model_package_group = unknown
    sagemaker._list_model_packages = lambda _: pytest.fail("there is no group to list")

    check(sagemaker, JOB)
    with pytest.raises(ClassifierFileError):
        check(sagemaker, "3")


def test_with_tuning_a_new_search_is_refused_and_an_ended_one_may_decide(sagemaker):
    sagemaker.has(JOB, "Completed")
    with pytest.raises(ClassifierFileError, match="no search with these images and settings has ended"):
        check(sagemaker, BEST, planned=TUNED)

    where = {"s3": S3, "classifier": "pets", "training_job": JOB}
    name = tuning_jobs.plan_attempt(sagemaker, TUNED["tuning"]["request"], **where).job_name
    sagemaker.has(BEST, "Completed")
    sagemaker.has_other("tuning", name, "Completed", BestTrainingJob={"TrainingJobName": BEST})
    check(sagemaker, BEST, planned=TUNED)
