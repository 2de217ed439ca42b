import pytest

from image_classifier.contracts.errors import DatasetError
from image_classifier_airflow.notifications.messages import MOST_ERROR_CHARACTERS, failed, in_a_sentence, overdue

RUN = {"dag_id": "cats_train_and_deploy", "run_id": "manual__1", "url": "https://airflow.example.com/log"}


def failure(**said):
    return failed("cats", **{**RUN, "task_id": "train.train_model", "reason": "task_failure", "error": "No.", **said})


def test_a_failure_says_classifier_dag_run_task_error_and_where_the_log_is():
    message = failure(error="DatasetError: /data/cats holds no images.")

    assert message.subject == "Image classifier cats: run failed"
    for words in (*RUN.values(), "train.train_model", "DatasetError: /data/cats holds no images."):
        assert words in message.text


def test_a_task_that_left_no_error_is_said_to_have_ended_without_a_word():
    assert "train.train_model ended without an error" in failure(error=None).sentence


@pytest.mark.parametrize("reason", ["timed_out", "all_tasks_deadlocked"])
def test_a_run_that_no_task_made_fail_gives_airflows_reason(reason):
    assert failure(reason=reason).sentence == f"The run failed: {reason.replace('_', ' ')}."


def test_a_run_of_which_no_task_is_known_names_none():
    message = failure(task_id=None, error=None)

    assert "Task" not in message.text
    assert message.sentence == "The run failed: task failure."


def test_an_overdue_run_says_how_long_it_had_and_that_it_continues():
    message = overdue("cats", **RUN, deadline_s=7200)

    assert message.subject == "Image classifier cats: run overdue"
    assert "7,200 seconds" in message.text
    assert "goes on" in message.text


def test_the_longest_subject_is_one_that_sns_takes():
    subject = failed("c" * 24, **RUN, task_id=None, reason="task_failure", error=None).subject

    assert len(subject) <= 100
    assert subject.isascii()


def test_an_error_becomes_one_line_with_its_type():
    assert in_a_sentence(DatasetError("No images:\n  /data/cats")) == "DatasetError: No images: /data/cats"


def test_a_long_error_is_cut():
    cut = in_a_sentence(DatasetError("x" * 5000))

    assert len(cut) == MOST_ERROR_CHARACTERS
    assert cut.endswith(" ...")


def test_machines_get_every_field_and_the_text():
    fields = failure().fields()

    assert (fields["event"], fields["classifier"], fields["task_id"]) == ("run_failed", "cats", "train.train_model")
    assert fields["text"].startswith("Image classifier cats: run failed\n")
