"""Training jobs: what to ask for, which attempt is due, who follows it, and what its end means.

What other rooms need is named here; the pages are request, attempts, jobs, followers, ends, failures and log.
"""

from image_classifier.resources.training.attempts import Attempt, has_model, machines_left, plan_attempt
from image_classifier.resources.training.ends import check_completed, end_of
from image_classifier.resources.training.followers import (
    Follower,
    claim,
    follower_of,
    stop_note,
    tags_of,
    was_abandoned,
    with_follower,
)
from image_classifier.resources.training.jobs import (
    deadline,
    describe_training_job,
    is_finished,
    list_training_jobs_in_progress,
    machine_of,
    start_training_job,
    stop_abandoned_job,
    stop_training_job,
    training_result,
)
from image_classifier.resources.training.log import (
    LOG_GROUP,
    START,
    Cursor,
    Metric,
    best_validation_accuracy,
    log_events,
    parse_metrics,
)
from image_classifier.resources.training.request import TrainingData, alternative_requests, training_job_request

__all__ = [
    "LOG_GROUP",
    "START",
    "Attempt",
    "Cursor",
    "Follower",
    "Metric",
    "TrainingData",
    "alternative_requests",
    "best_validation_accuracy",
    "check_completed",
    "claim",
    "deadline",
    "describe_training_job",
    "end_of",
    "follower_of",
    "has_model",
    "is_finished",
    "list_training_jobs_in_progress",
    "log_events",
    "machine_of",
    "machines_left",
    "parse_metrics",
    "plan_attempt",
    "start_training_job",
    "stop_abandoned_job",
    "stop_note",
    "stop_training_job",
    "tags_of",
    "training_job_request",
    "training_result",
    "was_abandoned",
    "with_follower",
]
