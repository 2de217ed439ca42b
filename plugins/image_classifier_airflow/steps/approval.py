"""Implements the tasks of a classifier whose models a person must approve."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from image_classifier.aws.names import model_package_group_name
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier_airflow.steps import clients
from image_classifier_airflow.steps.evaluate_and_promote import NOTHING_CHANGES, EvaluationSteps
from image_classifier_airflow.task_states import ASKS

if TYPE_CHECKING:
    from image_classifier.promote.approval import Question
    from image_classifier.promote.decision import Decision

log = logging.getLogger(__name__)

Json = dict[str, Any]
Params = Mapping[str, Any]
WHY_NOT = {
    "rejected": "{by} rejected the model.",
    "timed_out": "Nobody answered in time, so the model is not deployed; the next run asks again.",
    "withdrawn": "The question was withdrawn, because a newer run is waiting: it compares and asks again.",
    "outdated": "The live model changed before each approval; the next run asks again.",
    "refused": "The rule refuses it in a comparison with the present live model.",
}


class ApprovalSteps:
    """The methods that the approval operator and the task after it call."""

    def __init__(self, classifier: Classifier, evaluation: EvaluationSteps) -> None:
        """Store the classifier and the steps that compare models."""
        self._classifier, self._evaluation = classifier, evaluation
        self.links = {"promote": evaluation.links["decide"]}

    def to_score(self, inputs: Json, *, params: Params) -> list[Json]:
        """Return the scoring configs that a comparison of candidate and champion still needs; usually empty."""
        plan = self._plan(inputs, params)
        return [plan[one] for one in ("candidate", "champion") if plan[one]]

    def compare(self, inputs: Json, *, params: Params, dag_run: Any, ti: Any) -> "tuple[Decision, str]":
        """Compare the candidate with the present live model; return the decision and the report's address.

        The key of the decision's record is the XCom ``decision``.
        """
        plan, dataset, job = self._plan(inputs, params), inputs["dataset"], inputs["job"]
        told = self._evaluation.write_report(dataset, job, inputs["training"], plan, params)
        decision, key = self._evaluation.compare(dataset, job, plan, params, dag_run)
        ti.xcom_push(key="decision", value=key)
        return decision, told["page"]

    def ask(self, decision: "Decision") -> "tuple[Question, bool]":
        """Return the question about a decision, and whether it is new."""
        from image_classifier.promote import approval

        question = approval.question_about(decision)
        return approval.open_question(self._s3, question, bucket=Settings.from_env().bucket)

    def what_changed(self, question: "Question") -> str | None:
        """Return why an answer is outdated, that is, the live model or the test set changed; None if it is not."""
        from image_classifier.deploy.serving import serving_model

        serving = serving_model(clients.sagemaker(self._classifier.aws_conn_id), classifier=question.classifier)
        champion = serving.training_job if serving else None
        if champion in (question.champion, question.candidate):
            return None
        return f"{champion or 'No model'} serves now, and {question.champion or 'none'} did when the question was asked"

    def promote(self, dataset: Json, job: Json, answer: Json | None, ti: Any) -> bool:
        """Return whether a person approved exactly this model in a comparison with the present live model.

        `answer` is the earlier task's result. If a user marked that task as success, there is none, and nothing is
        promoted.
        """
        from image_classifier.promote.approval import Question, close_question

        if not answer:
            log.warning("There is no answer of a person. %s", NOTHING_CHANGES)
            return False
        if answer["outcome"] == "serves":
            return True
        question = Question.model_validate(answer["question"])
        asked_about = (question.candidate, question.test_manifest)
        if asked_about != (job["training_job"], dataset["test_manifest_sha256"]):
            log.warning("The answer is about model %s. %s", question.candidate, NOTHING_CHANGES)
            return False
        if answer["outcome"] == "approved" and (changed := self.what_changed(question)):
            log.warning("%s: the answer is about another comparison. %s", changed, NOTHING_CHANGES)
            return False
        self._note(answer, question, ti)
        if answer["outcome"] != "withdrawn":
            close_question(self._s3, classifier=question.classifier, bucket=Settings.from_env().bucket)
        if answer["outcome"] == "approved":
            return True
        log.warning("%s %s", WHY_NOT[answer["outcome"]].format(by=answer["by"]), NOTHING_CHANGES)
        return False

    def _note(self, answer: Json, question: "Question", ti: Any) -> None:
        """Write the answer to the decision's record and to the registry."""
        from image_classifier.promote import promotion, registry
        from image_classifier.promote.decision import Answer

        if answer["outcome"] == "refused":
            return  # the comparison has written it
        bucket, outcome = Settings.from_env().bucket, answer["outcome"]
        key = ti.xcom_pull(task_ids=ASKS, key="decision")  # the run may have another start by now
        decision = promotion.stored_decision(self._s3, bucket=bucket, key=key)
        said = Answer(outcome=outcome, by=answer["by"], at=answer["at"], asked_at=question.asked_at.isoformat())
        answered = decision.model_copy(update={"answer": said})
        promotion.write_decision(self._s3, answered, bucket=bucket, key=key)
        if outcome == "withdrawn":
            return
        sagemaker = clients.sagemaker(self._classifier.aws_conn_id)
        group = model_package_group_name(question.classifier)
        found = registry.find_version(sagemaker, question.candidate, group=group)
        if found is None:
            return
        why = f"Approved by {answer['by']}." if outcome == "approved" else WHY_NOT[outcome].format(by=answer["by"])
        prefix = registry.NOT_APPROVED if outcome == "rejected" else ""
        status: registry.Approval = "Approved" if outcome == "approved" else "Rejected"
        registry.set_approval(sagemaker, found["ModelPackageArn"], status=status, why=f"{prefix}{why}")

    def notify(self, question: "Question", decision: "Decision", *, ti: Any) -> None:
        """Send a message over the file's `notify` channels that an answer is needed."""
        from image_classifier_airflow.notifications.deadline import run_url
        from image_classifier_airflow.notifications.messages import approval_wanted
        from image_classifier_airflow.notifications.send import send

        message = approval_wanted(
            question.classifier,
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            task_id=ti.task_id,
            summary=decision.summary,
            until=question.until,
            url=f"{run_url(ti.dag_id, ti.run_id)}/tasks/{ti.task_id}/required_actions",
        )
        send(message, classifier=self._classifier)

    def _plan(self, inputs: Json, params: Params) -> Json:
        return self._evaluation.plan_evaluation(inputs["dataset"], inputs["job"], params)

    @property
    def _s3(self) -> Any:
        return clients.s3(self._classifier.aws_conn_id)


def answer(question: "Question", outcome: str, *, by: str | None = None) -> Json:
    """Return the result of the task that asks: ``outcome``, ``by``, ``at`` (ISO 8601, UTC) and ``question``."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return {"outcome": outcome, "by": by, "at": at, "question": question.model_dump(mode="json")}
