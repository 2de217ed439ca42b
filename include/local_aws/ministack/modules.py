"""The one place that imports MiniStack, which has no type hints."""

from ministack import app  # type: ignore[import-untyped]
from ministack.core import lambda_runtime, persistence, responses  # type: ignore[import-untyped]
from ministack.services import cloudwatch_logs, iam, lambda_svc, s3  # type: ignore[import-untyped]

__all__ = ["app", "cloudwatch_logs", "iam", "lambda_runtime", "lambda_svc", "persistence", "responses", "s3"]
