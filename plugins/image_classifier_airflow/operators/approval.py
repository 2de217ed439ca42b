"""Asks a person whether a model may go live, and waits for the answer without a worker."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import BaseOperatorLink, Context
from airflow.sdk.exceptions import TaskAwaitingInput
from airflow.sdk.execution_time.hitl import upsert_hitl_detail

from image_classifier.contracts.errors import QuestionOutdatedError
from image_classifier_airflow.operators.transform import TransformJobOperator
from image_classifier_airflow.steps.approval import ApprovalSteps, answer

if TYPE_CHECKING:
    from image_classifier.promote.approval import Question
    from image_classifier.promote.decision import Decision

APPROVE, REJECT = "Approve", "Reject"
LONGEST_LOOK_S, SHORTEST_LOOK_S = 300, 10  # between two checks whether a newer run waits


class ApprovalOperator(HITLOperator, TransformJobOperator):
    """Asks a person whether a model may replace the live model; extends Airflow's human-in-the-loop operator.

    The provider's operator asks once. Its time-out is an error, which a retry repeats, or counts as a default answer;
    and it does not notice when the compared models change. This operator:

    * compares candidate and champion before it asks, and scores the champion if its answers are missing;
    * asks again, in its next try and at most `retries` times, if the live model changed before the answer;
    * rejects the model if nobody answers within ``promotion.approval_time_limit_s``;
    * withdraws the question when a newer run of the Dag waits for this one to end.

    The task waits in the state awaiting_input, which takes no slot. It checks for a newer run every few minutes.

    Returns ``outcome`` (approved, rejected, timed_out, withdrawn, outdated, refused; serves if there is nothing to
    ask), ``by``, ``at`` and ``question``.

    Args:
        approval: the classifier's steps.
        inputs: ``dataset``, ``job`` and ``training``, the results of earlier tasks.
        links: of the task, beside those to the transform job.
        kwargs: the provider's and BaseOperator's arguments.

    """

    template_fields = ("inputs",)

    def __init__(
        self,
        *,
        approval: ApprovalSteps,
        inputs: dict[str, Any],
        links: Iterable[BaseOperatorLink] = (),
        **kwargs: Any,
    ) -> None:
        """Store the arguments; subject and body are written when the task asks."""
        super().__init__(subject="", options=[APPROVE, REJECT], config={}, **kwargs)
        self.approval, self.inputs = approval, inputs
        self.operator_extra_links = (*self.operator_extra_links, *links)

    def execute(self, context: Context) -> dict[str, Any]:  # type: ignore[override]
        """Compare, ask and wait."""
        self._task_instance = context["ti"]
        return self._compare_and_ask(context)

    def execute_complete(  # type: ignore[override]
        self,
        context: Context,
        event: dict[str, Any] | None = None,
        awaited: bool = False,  # noqa: ARG002 - of a transform job
        question: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Continue after the transform job, the person's answer or the time limit.

        Raises:
            QuestionOutdatedError: the live model is not the compared one any more; the next try asks again.

        """
        from image_classifier.promote.approval import Question

        self._task_instance = context["ti"]
        if question is None:
            if event is not None and event["status"] == "overdue":
                self._job_name = event["job_name"]
                self._give_up()
            return self._compare_and_ask(context)
        asked, event = Question.model_validate(question), event or {}
        if event.get("error_type") == "timeout":
            return self._look(context, asked)
        if "error" in event:
            self.process_trigger_event_error(event)
        return self._answered(context, asked, chosen=event["chosen_options"], user=event["responded_by_user"])

    def _compare_and_ask(self, context: Context) -> dict[str, Any]:
        from image_classifier.promote.approval import question_about

        for config in self.approval.to_score(self.inputs, params=context["params"]):
            self.config = config
            self.run_job()
        run: dict[str, Any] = {"params": context["params"], "dag_run": context["dag_run"], "ti": context["ti"]}
        decision, page = self.approval.compare(self.inputs, **run)
        if decision.champion == decision.candidate:
            return answer(question_about(decision), "serves")
        if decision.verdict != "promote":
            self.log.warning("%s", decision.summary)
            return answer(question_about(decision), "refused")
        question, is_new = self.approval.ask(decision)
        self._ask(context, decision, page=page)
        if is_new:
            self.approval.notify(question, decision, ti=context["ti"])
        self._wait(question)

    def _ask(self, context: Context, decision: "Decision", *, page: str) -> None:
        from image_classifier.promote.approval import body, subject

        self.subject, self.body = subject(decision), body(decision, page=page)
        upsert_hitl_detail(
            ti_id=context["ti"].id, options=self.options, subject=self.subject, body=self.body, params={}
        )

    def _wait(self, question: "Question") -> NoReturn:
        """Defer the task until a person answers, or until the next check."""
        remaining_s = (question.until - datetime.now(UTC)).total_seconds()
        look_s = (question.until - question.asked_at).total_seconds() / 10
        seconds = max(1, min(remaining_s, max(SHORTEST_LOOK_S, min(LONGEST_LOOK_S, look_s))))
        self.log.info("An answer is awaited until %s", question.until)
        raise TaskAwaitingInput(
            method_name="execute_complete",
            kwargs={"question": question.model_dump(mode="json")},
            timeout=timedelta(seconds=seconds),
        )

    def _look(self, context: Context, question: "Question") -> dict[str, Any]:
        """Check whether the time limit has passed or a newer run waits; otherwise continue to wait.

        The question is not written again, because that would delete an answer that arrived in the meantime, with which
        Airflow resumes the task.
        """
        ti = context["ti"]
        if datetime.now(UTC) >= question.until:
            return answer(question, "timed_out")
        if ti.get_dr_count(dag_id=ti.dag_id, states=["queued"]):
            return answer(question, "withdrawn")
        self._wait(question)

    def _answered(
        self, context: Context, question: "Question", *, chosen: list[str], user: dict[str, Any] | None
    ) -> dict[str, Any]:
        by = user["name"] if user else None
        self.log.info("%s answered %s", by or "Nobody", ", ".join(chosen))
        if chosen != [APPROVE]:
            return answer(question, "rejected", by=by)
        changed = self.approval.what_changed(question)
        if changed is None:
            return answer(question, "approved", by=by)
        ti = context["ti"]
        if ti.try_number > ti.max_tries:
            return answer(question, "outdated", by=by)
        raise QuestionOutdatedError(f"{changed}. Candidate and model are compared, and the question is asked, again.")
