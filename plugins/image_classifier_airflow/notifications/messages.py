"""Builds the messages: classifier, run, one sentence about the problem, and a link."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

MOST_ERROR_CHARACTERS = 600


@dataclass(frozen=True)
class Message:
    """One event of one run; `event` is run_failed, run_overdue, watch_finding or approval_wanted."""

    event: str
    classifier: str
    dag_id: str
    run_id: str
    task_id: str | None
    sentence: str
    url: str

    @property
    def subject(self) -> str:
        """Return one line of ASCII below SNS's limit of 100 characters; a classifier's name has at most 24."""
        return f"Image classifier {self.classifier}: " + self.event.replace("_", " ")

    @property
    def text(self) -> str:
        task = f"Task   {self.task_id}\n" if self.task_id else ""
        return f"{self.sentence}\n\nDag    {self.dag_id}\nRun    {self.run_id}\n{task}{self.url}"

    def fields(self) -> dict[str, str | None]:
        """Return the message as a dict of its attributes, for programs."""
        return {**asdict(self), "text": f"{self.subject}\n{self.text}"}


def failed(
    classifier: str, *, dag_id: str, run_id: str, task_id: str | None, reason: str, error: str | None, url: str
) -> Message:
    """Return the message for a failed run. ``reason`` is Airflow's, ``error`` the error of the last failed task."""
    if task_id is None or reason != "task_failure":
        sentence = f"The run failed: {reason.replace('_', ' ')}."
    else:
        sentence = error or f"{task_id} ended without an error; its worker may have been lost."
    return Message("run_failed", classifier, dag_id, run_id, task_id, sentence, url)


def overdue(classifier: str, *, dag_id: str, run_id: str, deadline_s: int, url: str) -> Message:
    """Return the message for a run that has not ended in time."""
    sentence = f"The run was queued more than {deadline_s:,} seconds ago and has not ended. It goes on."
    return Message("run_overdue", classifier, dag_id, run_id, None, sentence, url)


def found(classifier: str, *, dag_id: str, run_id: str, sentences: Iterable[str], url: str) -> Message:
    """Return the message for open findings of the watch Dag."""
    return Message("watch_finding", classifier, dag_id, run_id, "watch_classifier", " ".join(sentences), url)


def approval_wanted(
    classifier: str, *, dag_id: str, run_id: str, task_id: str, summary: str, until: datetime, url: str
) -> Message:
    """Return the message that asks for a person's answer, with its time limit."""
    sentence = f"Answer until {until:%Y-%m-%d %H:%M} UTC; without an answer the model is not deployed. {summary}"
    return Message("approval_wanted", classifier, dag_id, run_id, task_id, sentence, url)


def in_a_sentence(error: object) -> str:
    """Return the error's type and message on one line, cut if it is long."""
    words = " ".join(f"{type(error).__name__}: {error}".split()) if isinstance(error, BaseException) else str(error)
    return words if len(words) <= MOST_ERROR_CHARACTERS else words[: MOST_ERROR_CHARACTERS - 4] + " ..."
