"""Checks the approval task: what it compares, when it asks again, and which answers it accepts."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk.exceptions import TaskAwaitingInput
from tests.unit.image_classifier_airflow.made import DECISION

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import QuestionOutdatedError
from image_classifier.promote.approval import question_about
from image_classifier_airflow.approval_tasks import approval_tasks
from image_classifier_airflow.operators import approval as module
from image_classifier_airflow.operators.approval import ApprovalOperator


class Approval:
    """The steps, with what they would find."""

    def __init__(self, decision=DECISION):
        self.decision, self.changed, self.requests = decision, None, []
        self.notified = []

    def to_score(self, inputs, *, params):
        return self.requests

    def compare(self, inputs, *, params, dag_run, ti):
        return self.decision, "s3://b/report.html"

    def ask(self, decision):
        return question_about(decision), True

    def what_changed(self, question):
        return self.changed

    def notify(self, question, decision, *, ti):
        self.notified.append(question)


@pytest.fixture
def approval():
    return Approval()


@pytest.fixture
def operator(approval):
    return ApprovalOperator(task_id="ask", approval=approval, inputs={}, retries=3)


@pytest.fixture
def detail(monkeypatch):
    """What Airflow is told to ask."""
    stored = SimpleNamespace(asked=[])
    monkeypatch.setattr(module, "upsert_hitl_detail", lambda **told: stored.asked.append(told))
    return stored


def context(*, try_number=1, queued=0):
    ti = SimpleNamespace(id="ti", dag_id="d", run_id="r", task_id="ask", try_number=try_number, max_tries=3)
    ti.get_dr_count = lambda dag_id, states: queued if states == ["queued"] else 0
    return {"ti": ti, "params": {}, "dag_run": SimpleNamespace()}


def parked(call, *arguments, **named):
    with pytest.raises(TaskAwaitingInput) as caught:
        call(*arguments, **named)
    return caught.value


def asked(operator, *, ago=timedelta()):
    question = question_about(DECISION, now=datetime.now(UTC) - ago)
    return question.model_dump(mode="json")


def said(*chosen, user="jo"):
    return {"chosen_options": list(chosen), "params_input": {}, "responded_at": datetime.now(UTC)} | {
        "responded_by_user": {"id": "1", "name": user} if user else None
    }


TIMEOUT = {"error": "the time has passed", "error_type": "timeout"}


def test_it_is_airflows_own_operator(operator):
    assert isinstance(operator, HITLOperator)
    assert operator.options == ["Approve", "Reject"]
    assert operator.defaults is None  # else Airflow would answer for the person


def test_it_asks_with_the_figures_tells_people_and_waits_without_a_slot(operator, approval, detail):
    waits = parked(operator.execute, context())

    [told] = detail.asked
    assert (told["ti_id"], told["options"]) == ("ti", ["Approve", "Reject"])
    assert "new-job" in told["subject"]
    assert told["params"] == {}  # Airflow's API refuses null
    assert "It may serve." in told["body"]
    assert [question.champion for question in approval.notified] == ["old-job"]
    assert waits.method_name == "execute_complete"
    assert waits.kwargs["question"]["champion"] == "old-job"


def test_a_question_that_was_open_already_is_not_sent_to_people_again(operator, approval, detail, monkeypatch):
    monkeypatch.setattr(approval, "ask", lambda decision: (question_about(decision), False))

    parked(operator.execute, context())

    assert approval.notified == []


def test_a_model_that_serves_already_is_not_asked_about(operator, approval, detail):
    approval.decision = DECISION.model_copy(update={"champion": "new-job"})

    assert operator.execute(context())["outcome"] == "serves"
    assert detail.asked == []


def test_a_model_that_the_rule_refuses_is_not_asked_about(operator, approval, detail):
    approval.decision = DECISION.model_copy(update={"verdict": "refuse"})

    assert operator.execute(context())["outcome"] == "refused"


def test_a_champion_without_answers_is_scored_first(operator, approval, detail, monkeypatch):
    approval.requests, scored = [{"request": "champion"}], []
    monkeypatch.setattr(operator, "run_job", lambda: scored.append(operator.config))

    parked(operator.execute, context())

    assert scored == [{"request": "champion"}]


def test_after_the_transform_job_it_compares_and_asks(operator, detail):
    waits = parked(operator.execute_complete, context(), {"status": "finished", "job_name": "j"}, awaited=False)

    assert waits.kwargs["question"]["candidate"] == "new-job"


def test_an_approval_names_who_gave_it_and_what_was_compared(operator, detail):
    answer = operator.execute_complete(context(), said("Approve"), question=asked(operator))

    assert (answer["outcome"], answer["by"]) == ("approved", "jo")
    assert (answer["question"]["champion"], answer["question"]["test_manifest"]) == ("old-job", "0badcafe")


def test_a_rejection_is_no_error(operator, detail):
    assert operator.execute_complete(context(), said("Reject"), question=asked(operator))["outcome"] == "rejected"


def test_an_approval_after_another_model_has_begun_to_serve_is_asked_again(operator, approval, detail):
    approval.changed = "third-job serves now"

    with pytest.raises(QuestionOutdatedError, match="third-job serves now"):
        operator.execute_complete(context(), said("Approve"), question=asked(operator))


def test_it_is_asked_again_only_so_often(operator, approval, detail):
    approval.changed = "third-job serves now"

    with pytest.raises(QuestionOutdatedError):  # the third try of three retries has one after it
        operator.execute_complete(context(try_number=3), said("Approve"), question=asked(operator))
    answer = operator.execute_complete(context(try_number=4), said("Approve"), question=asked(operator))

    assert answer["outcome"] == "outdated"


def test_between_two_looks_it_waits_on_and_the_question_stays_open(operator, detail):
    waits = parked(operator.execute_complete, context(), TIMEOUT, question=asked(operator))

    assert detail.asked == []  # writing it again would delete an answer that has come meanwhile
    assert waits.timeout <= timedelta(seconds=300)


def test_no_answer_in_time_is_a_no(operator, detail):
    question = asked(operator, ago=timedelta(hours=2))

    assert operator.execute_complete(context(), TIMEOUT, question=question)["outcome"] == "timed_out"


def test_a_newer_run_that_waits_withdraws_the_question(operator, detail):
    answer = operator.execute_complete(context(queued=1), TIMEOUT, question=asked(operator))

    assert answer["outcome"] == "withdrawn"


def test_the_wait_never_goes_past_the_time_limit(operator, detail):
    waits = parked(operator.execute_complete, context(), TIMEOUT, question=asked(operator, ago=timedelta(minutes=59)))

    assert waits.timeout <= timedelta(minutes=1)


def test_only_a_classifier_that_says_so_has_the_task():
    pets = Classifier(name="pets", source="pets")

    assert approval_tasks(pets, None, dataset=None, job=None, training=None) == []
