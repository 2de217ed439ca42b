"""What people are told: which classifier, which run, what went wrong in a sentence, and where to look."""

from dataclasses import asdict, dataclass

MOST_ERROR_CHARACTERS = 600


@dataclass(frozen=True)
class Message:
    """One thing that happened to one run; `event` is run_failed, run_overdue or watch_finding, for machines."""

    event: str
    classifier: str
    dag_id: str
    run_id: str
    task_id: str | None
    sentence: str
    url: str

    @property
    def subject(self) -> str:
        """SNS takes ASCII of at most 100 characters on one line; a classifier's name has at most 24."""
        return f"Image classifier {self.classifier}: " + self.event.replace("_", " ")

    @property
    def text(self) -> str:
        task = f"Task   {self.task_id}\n" if self.task_id else ""
        return f"{self.sentence}\n\nDag    {self.dag_id}\nRun    {self.run_id}\n{task}{self.url}"

    def fields(self) -> dict[str, str | None]:
        """The same for machines."""
        return {**asdict(self), "text": f"{self.subject}\n{self.text}"}


def failed(
    classifier: str, *, dag_id: str, run_id: str, task_id: str | None, reason: str, error: str | None, url: str
) -> Message:
    """A run ended red. ``reason`` is Airflow's word for it, ``error`` what the task that failed last said."""
    if task_id is None or reason != "task_failure":
        sentence = f"The run ended red: {reason.replace('_', ' ')}."
    else:
        sentence = error or f"{task_id} ended without a word; its worker may have been lost."
    return Message("run_failed", classifier, dag_id, run_id, task_id, sentence, url)


def overdue(classifier: str, *, dag_id: str, run_id: str, deadline_s: int, url: str) -> Message:
    """A run has not ended in time."""
    sentence = f"The run was queued more than {deadline_s:,} seconds ago and has not ended. It goes on."
    return Message("run_overdue", classifier, dag_id, run_id, None, sentence, url)


def found(classifier: str, *, dag_id: str, run_id: str, sentences: list[str], url: str) -> Message:
    """The watch Dag found something that is open."""
    return Message("watch_finding", classifier, dag_id, run_id, "watch_classifier", " ".join(sentences), url)


def in_a_sentence(error: object) -> str:
    """The error's type and words on one line; a long one is cut."""
    words = " ".join(f"{type(error).__name__}: {error}".split()) if isinstance(error, BaseException) else str(error)
    return words if len(words) <= MOST_ERROR_CHARACTERS else words[: MOST_ERROR_CHARACTERS - 4] + " ..."
