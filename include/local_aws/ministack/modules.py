"""Imports the modules of MiniStack in one place, because they have no type hints; `documents` has its records."""

from ministack import app  # type: ignore[import-untyped]
from ministack.core import iam_actions, iam_evaluator, lambda_runtime, persistence, responses, router  # type: ignore[import-untyped]
from ministack.services import cloudformation, cloudwatch, cloudwatch_logs, iam, lambda_svc, s3, sqs, sts  # type: ignore[import-untyped]
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

Answer = tuple[int, dict[str, str], bytes]  # status, headers and body, as MiniStack's handlers return them

__all__ = [
    "Answer",
    "app",
    "cloudformation",
    "cloudwatch",
    "cloudwatch_logs",
    "iam",
    "iam_actions",
    "iam_evaluator",
    "lambda_runtime",
    "lambda_svc",
    "persistence",
    "provisioners",
    "responses",
    "router",
    "s3",
    "sqs",
    "sts",
]
