"""Watches alarms after each step of an endpoint's update, and decides whether it continues or rolls back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.sagemaker.aws import unavailable
from local_aws.sagemaker.hosting.deployment import DeploymentFailedError
from local_aws.sagemaker.protocol.errors import validation_error

if TYPE_CHECKING:
    import threading

    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.hosting.traffic import Shift

LOOK_S = 0.5


def check_alarms_exist(aws: Aws, names: tuple[str, ...]) -> None:
    """Refuse alarms that do not exist.

    Raises:
        ServiceError: names those that are not there.

    """
    try:
        missing = sorted(set(names) - set(aws.alarm_states(names)))
    except (ClientError, BotoCoreError) as error:
        raise unavailable(aws.endpoint_url, error) from error
    if missing:
        raise validation_error(
            f"AutoRollbackConfiguration names CloudWatch alarms that do not exist: {', '.join(missing)}."
        )


def bake(shift: Shift, *, aws: Aws, deadline: float, closing: threading.Event) -> None:
    """Wait for the time of one step, and read the alarms at least once.

    Raises:
        DeploymentFailedError: an alarm went off, the update takes too long, or the server ends.

    """
    end = time.monotonic() + shift.wait_s
    while True:
        _check(shift, aws=aws, deadline=deadline)
        if closing.wait(max(0.0, min(LOOK_S, end - time.monotonic()))):
            raise DeploymentFailedError("The local SageMaker ends.")
        if time.monotonic() >= end:
            return


def _check(shift: Shift, *, aws: Aws, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise DeploymentFailedError(
            f"The deployment took longer than {shift.time_limit_s} seconds and was rolled back."
        )
    if not shift.alarms:
        return
    try:
        states = aws.alarm_states(shift.alarms)
    except (ClientError, BotoCoreError) as error:  # without alarms it is unknown whether the new fleet works
        raise DeploymentFailedError(f"The alarms of the deployment could not be read: {error}") from error
    tripped = sorted(name for name, state in states.items() if state == "ALARM")
    if tripped:
        raise DeploymentFailedError(
            f"CloudWatch alarms went off during the deployment, which was rolled back: {', '.join(tripped)}."
        )
