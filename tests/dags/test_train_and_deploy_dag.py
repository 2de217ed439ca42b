import inspect
import itertools
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.sdk import Context
from airflow.sdk.exceptions import ParamValidationError
from airflow.utils.types import DagRunType

from image_classifier.classifier import Classifier
from image_classifier.classifier.run_params import with_run_params
from image_classifier_airflow.notifications.failure import keep_error

DIGITS = Path(__file__).parents[2] / "include/classifiers/digits.yaml"


@pytest.fixture
def dag(shipped):
    return shipped.dags["digits_train_and_deploy"]


@pytest.fixture
def cats(parse, tmp_path):
    (tmp_path / "cats.yaml").write_text(
        'source: cats\ndescription: Cats by breed.\nschedule: "0 3 * * 1"\naws_conn_id: aws_cats\n'
    )
    return parse(tmp_path).dags["cats_train_and_deploy"]


def test_the_tasks_are_exactly_these(dag):
    assert [task.task_id for task in dag.topological_sort()] == [
        "prepare.plan",
        "prepare.list_images",
        "prepare.prepare_shard",
        "prepare.apply_trigger",
        "prepare.prepare_dataset",
        "prepare.plan_training",
        "train.train_model",
        "evaluate.plan_evaluation",
        "evaluate.create_model",
        "evaluate.score_candidate",
        "evaluate.score_champion",
        "evaluate.write_report",
        "promote.decide",
        "deploy.plan_deployment",
        "deploy.create_endpoint_config",
        "deploy.deploy_endpoint",
        "deploy.test_endpoint",
        "connect.deploy_function",
        "connect.set_upload_trigger",
        "connect.record_deployment",
        "check.plan_check",
        "check.upload_known_image",
        "check.await_record",
        "check.confirm_prediction",
        "check.remove_known_image",
        "delete_unreferenced_images",
        "delete_old_models",
        "report",
    ]


def test_a_classifier_that_says_so_asks_a_person_before_a_model_goes_live(parse, tmp_path):
    (tmp_path / "cats.yaml").write_text("source: cats\npromotion: {mode: approval}\n")

    dag = parse(tmp_path).dags["cats_train_and_deploy"]

    way = ["evaluate.write_report", "promote.decide", "promote.ask", "promote.promote", "deploy.plan_deployment"]
    for first, then in itertools.pairwise(way):
        assert first in dag.get_task(then).upstream_task_ids
    assert dag.get_task("promote.ask").response_timeout is None  # the task looks at its own time limit


@pytest.mark.parametrize(
    ("runner", "tasks"),
    [
        ("task", ["plan", "prepare_dataset", "plan_training"]),
        ("mapped", ["plan", "list_images", "prepare_shard", "prepare_dataset", "plan_training"]),
        ("processing", ["plan", "list_images", "prepare_on_instances", "prepare_dataset", "plan_training"]),
    ],
)
def test_the_runner_of_the_file_decides_which_tasks_prepare_images(parse, tmp_path, runner, tasks):
    (tmp_path / "cats.yaml").write_text(f"source: s3://photos/cats/\npreparation: {{runner: {runner}}}\n")

    dag = parse(tmp_path).dags["cats_train_and_deploy"]

    found = [task.task_id for task in dag.topological_sort() if task.task_id.startswith("prepare.")]
    assert [task for task in found if task != "prepare.apply_trigger"] == [f"prepare.{task}" for task in tasks]


def test_a_mapped_task_is_given_a_run_and_a_number(dag):
    mapped = dag.get_task("prepare.prepare_shard")

    task = mapped.unmap({"arguments": ["0123456789abcdef", 3]})

    assert mapped.expand_input.value["arguments"].operator.task_id == "prepare.list_images"
    assert task.arguments == ["0123456789abcdef", 3]
    assert list(inspect.signature(task.function).parameters) == ["run", "number"]


def test_a_data_set_is_made_although_no_shard_is_mapped(dag):
    assert dag.get_task("prepare.prepare_dataset").trigger_rule == "none_failed"


TUNING = {
    "train.tune_hyperparameters": {"prepare.plan_training", "train.train_model"},  # first one job, whether it trains
    "train.plan_trials": {"prepare.prepare_dataset", "train.train_model", "train.tune_hyperparameters"},
    "train.create_trial_models": {"train.plan_trials"},
    "train.score_trials": {"train.plan_trials", "train.create_trial_models"},
    "train.choose_trial": {
        "prepare.prepare_dataset",
        "train.train_model",
        "train.tune_hyperparameters",
        "train.score_trials",
    },
}


@pytest.fixture
def tuned(parse, tmp_path):
    (tmp_path / "cats.yaml").write_text("source: cats\ntuning: {}\n")
    return parse(tmp_path).dags["cats_train_and_deploy"]


def test_tuning_adds_tasks_only_to_the_dag_of_a_file_that_has_it(dag, tuned):
    assert {task.task_id for task in tuned.tasks} - {task.task_id for task in dag.tasks} == set(TUNING)


@pytest.mark.parametrize("task_id", TUNING)
def test_the_tasks_of_tuning_wait_for_these(tuned, task_id):
    assert tuned.get_task(task_id).upstream_task_ids == TUNING[task_id]


def test_the_chosen_model_is_evaluated_deployed_and_reported(tuned):
    for task_id in ("evaluate.plan_evaluation", "promote.decide", "deploy.plan_deployment", "report"):
        upstream = tuned.get_task(task_id).upstream_task_ids
        assert "train.choose_trial" in upstream
        assert "train.train_model" not in upstream


def test_a_run_that_does_not_tune_continues_although_no_trial_is_scored(tuned):
    assert tuned.get_task("train.choose_trial").trigger_rule == "none_failed"


def test_a_tuning_job_is_waited_for_in_the_triggerer_as_long_as_it_takes(tuned):
    task = tuned.get_task("train.tune_hyperparameters")

    assert task.deferrable
    assert task.execution_timeout is None


def test_an_untouched_form_is_also_the_file_of_a_classifier_that_tunes(tuned):
    classifier = Classifier.model_validate({"name": "cats", "source": "cats", "tuning": {}})

    assert with_run_params(classifier, tuned.params.dump()) == classifier
    sections = dict.fromkeys(tuned.params.get_param(name).schema["section"] for name in tuned.params)
    assert list(sections)[-3:] == ["Tuning", "Endpoint", "Cost"]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("prepare.plan", "prepare.list_images"),  # a run that is only planned changes nothing
        ("prepare.list_images", "prepare.prepare_shard"),
        ("prepare.prepare_shard", "prepare.prepare_dataset"),
        ("prepare.plan", "prepare.apply_trigger"),  # a run that only plans changes nothing
        ("prepare.apply_trigger", "prepare.plan_training"),  # what is refused is refused before it costs
        ("prepare.prepare_dataset", "prepare.plan_training"),  # the job is named after the images
        ("prepare.plan_training", "train.train_model"),
        ("train.train_model", "evaluate.plan_evaluation"),
        ("evaluate.plan_evaluation", "evaluate.create_model"),
        ("evaluate.create_model", "evaluate.score_candidate"),  # a transform job names its model
        ("evaluate.score_candidate", "evaluate.write_report"),
        ("evaluate.score_champion", "evaluate.write_report"),
        ("evaluate.write_report", "promote.decide"),
        ("promote.decide", "deploy.plan_deployment"),  # a model that is refused changes nothing that serves
        ("train.train_model", "deploy.plan_deployment"),  # labels lie beside the model before anything serves it
        ("deploy.plan_deployment", "deploy.create_endpoint_config"),
        ("deploy.create_endpoint_config", "deploy.deploy_endpoint"),
        ("deploy.deploy_endpoint", "deploy.test_endpoint"),
        ("deploy.test_endpoint", "connect.deploy_function"),  # no upload meets an endpoint that was not tested
        ("connect.deploy_function", "connect.set_upload_trigger"),  # S3 refuses a function that is not there
        ("connect.set_upload_trigger", "connect.record_deployment"),
        ("connect.record_deployment", "check.plan_check"),
        ("check.plan_check", "check.upload_known_image"),  # an earlier record is gone before the upload
        ("check.upload_known_image", "check.await_record"),
        ("check.await_record", "check.confirm_prediction"),
        ("check.confirm_prediction", "check.remove_known_image"),
        ("check.remove_known_image", "delete_unreferenced_images"),  # only after success
        ("check.remove_known_image", "delete_old_models"),
    ],
)
def test_this_waits_for_that(dag, first, then):
    assert first in dag.get_task(then).upstream_task_ids


def test_what_waits_waits_in_the_triggerer(dag):
    scoring = ["evaluate.score_candidate", "evaluate.score_champion"]
    waiting = [*scoring, "train.train_model", "deploy.deploy_endpoint", "check.await_record"]

    assert all(dag.get_task(task_id).deferrable for task_id in waiting)


JOBS = {"train.train_model", "evaluate.score_candidate", "evaluate.score_champion"}


def test_only_a_job_itself_limits_its_task(dag):
    assert {dag.get_task(job).execution_timeout for job in JOBS} == {None}


def test_every_other_task_has_a_time_limit(dag):
    others = [task for task in dag.tasks if task.task_id not in JOBS]

    assert all(task.execution_timeout for task in others)


def test_every_task_is_retried_with_longer_pauses_unless_a_person_must_act(dag):
    for task in dag.tasks:
        assert task.retries >= 3
        assert task.retry_delay <= timedelta(minutes=1)
        assert task.has_retry_policy
        assert task.owner == "image-classifier"
    assert dag.get_task("train.train_model").retry_exponential_backoff == 2.0


def test_the_check_is_tried_for_longer_than_a_new_event_notification_needs(dag):
    """S3: "you typically need to wait five minutes" after a notification configuration changed."""
    confirm = dag.get_task("check.confirm_prediction")

    assert confirm.retries * confirm.retry_delay > timedelta(minutes=5)
    assert not confirm.retry_exponential_backoff


def test_a_missing_record_is_explained_by_the_task_that_reads_it(dag):
    assert dag.get_task("check.await_record").soft_fail
    assert dag.get_task("check.confirm_prediction").trigger_rule == "none_failed"


def test_another_trigger_changes_no_task_of_a_run_in_progress(dag, parse, tmp_path):
    (tmp_path / "cats.yaml").write_text("source: cats\ntrigger: paused\n")
    paused = parse(tmp_path).dags["cats_train_and_deploy"]

    assert [task.task_id for task in paused.topological_sort()] == [task.task_id for task in dag.topological_sort()]


def test_xcom_holds_whole_results_but_for_those_that_are_taken_apart(dag):
    parted = {task.task_id for task in dag.tasks if getattr(task, "multiple_outputs", False)}

    assert parted == {
        "prepare.plan_training",
        "evaluate.plan_evaluation",
        "deploy.plan_deployment",
        "connect.deploy_function",
        "check.plan_check",
    }


def test_one_run_at_a_time_and_none_for_the_past(dag):
    assert dag.max_active_runs == 1
    assert dag.catchup is False
    assert {one.value for one in dag.allowed_run_types} == {one.value for one in DagRunType} - {"backfill"}


def test_without_a_schedule_only_people_start_it(dag):
    assert dag.schedule is None


def test_the_file_decides_schedule_connection_tags_and_page(cats):
    assert cats.timetable.expression == "0 3 * * 1"
    assert {task.aws_conn_id for task in cats.tasks if hasattr(task, "aws_conn_id")} == {"aws_cats"}
    assert cats.tags == {"image-classifier", "cats"}
    assert "Cats by breed." in cats.doc_md
    assert "# Train and deploy" in cats.doc_md


def test_every_task_keeps_its_error_for_who_gets_a_message(dag):
    assert {tuple(task.on_failure_callback) for task in dag.tasks} == {(keep_error,)}


def test_no_message_is_sent_of_a_run_unless_the_file_says_who(dag, shipped):
    assert dag.on_failure_callback is None
    assert shipped.serialized["digits_train_and_deploy"].get("has_on_failure_callback", False) is False
    assert not dag.deadline


def test_every_channel_of_the_file_is_notified_of_a_failed_and_a_late_run(parse, tmp_path):
    (tmp_path / "cats.yaml").write_text(
        "source: cats\nnotify: {webhook_conn_id: a, slack_conn_id: b, deadline_s: 60}\n"
    )
    parsed = parse(tmp_path)
    dag = parsed.dags["cats_train_and_deploy"]

    assert parsed.import_errors == {}
    assert len(dag.on_failure_callback) == len(dag.deadline) == 2
    assert parsed.serialized["cats_train_and_deploy"]["has_on_failure_callback"]


def test_every_task_of_ours_has_a_page(dag):
    ours = [task for task in dag.tasks if task.task_type in ("StepOperator", "GateOperator")]

    assert all(task.doc_md for task in ours)


def test_an_untouched_form_is_the_classifiers_file(dag):
    classifier = Classifier.from_file(DIGITS)

    assert with_run_params(classifier, dag.params.dump()) == classifier


def test_the_form_has_these_sections_in_this_order(dag):
    sections = dict.fromkeys(dag.params.get_param(name).schema["section"] for name in dag.params)

    assert list(sections) == [
        "Data",
        "Training",
        "Model",
        "Optimizer",
        "Early stopping and checkpoints",
        "Endpoint",
        "Cost",
    ]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("epochs", 0),
        ("epochs", "many"),
        ("learning_rate", 1.5),
        ("num_layers", 21),
        ("image_shape", "28x28"),
        ("training_instance_type", "ml.m5.large"),
        ("endpoint_instance_type", "m5.large"),
        ("time_limit_s", 1),
        ("source", ""),
        ("force_retrain", "yes"),
        ("plan", "yes"),
        ("max_cost_usd", -1),
    ],
)
def test_the_form_refuses_what_the_library_would(dag, name, wrong):
    with pytest.raises(ParamValidationError):
        dag.params.get_param(name).resolve(wrong)


def test_every_field_of_the_form_says_what_it_is(dag):
    fields = [dag.params.get_param(name) for name in dag.params]

    assert all(field.schema["title"] and field.description for field in fields)


def test_the_pages_of_these_tasks_have_buttons(shipped):
    tasks = [task["__var"] for task in shipped.serialized["digits_train_and_deploy"]["tasks"]]
    buttons = {task["task_id"]: list(task.get("_operator_extra_links", {})) for task in tasks}

    assert {task: names for task, names in buttons.items() if names} == {
        "prepare.prepare_dataset": ["Prepared images", "Data set"],
        "train.train_model": ["Training job", "Training log"],
        "evaluate.create_model": ["Model"],
        "evaluate.score_candidate": ["Transform job", "Transform log"],
        "evaluate.score_champion": ["Transform job", "Transform log"],
        "evaluate.write_report": ["Evaluations", "Evaluation report"],
        "promote.decide": ["Decisions", "Evaluation report"],
        "deploy.create_endpoint_config": ["Endpoint config"],
        "deploy.deploy_endpoint": ["Endpoint", "Endpoint log"],
        "connect.deploy_function": ["Function", "Function log"],
        "connect.set_upload_trigger": ["Uploads"],
        "check.confirm_prediction": ["Prediction records", "Gallery"],
        "report": ["Overview"],
    }


def test_the_table_of_the_dags_text_has_a_line_for_each_group(dag):
    rows = [line for line in dag.doc_md.splitlines() if line.startswith("| ")]

    assert [row.split("|")[1].strip() for row in rows[1:]] == [
        group for group in dag.task_group.children if group in dag.task_group.get_task_group_dict()
    ]


@pytest.mark.parametrize("runner", ["auto", "task", "mapped", "processing"])
def test_each_step_takes_what_the_tasks_before_it_pass_on(parse, tmp_path, runner):
    (tmp_path / "cats.yaml").write_text(f"source: s3://photos/cats/\npreparation: {{runner: {runner}}}\n")
    steps = [task for task in parse(tmp_path).dags["cats_train_and_deploy"].tasks if hasattr(task, "function")]
    assert len(steps) > 10

    for task in steps:  # a step takes Airflow's variables by name
        signature = inspect.signature(task.function)
        signature.bind(*task.arguments, **dict.fromkeys(signature.parameters.keys() & Context.__annotations__.keys()))
