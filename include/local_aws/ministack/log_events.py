"""Adds the filter logStreamNamePrefix to FilterLogEvents, which MiniStack ignores."""

from collections.abc import Callable
from typing import Any

from local_aws.ministack.modules import cloudwatch_logs, responses


def filter_log_events(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap FilterLogEvents."""

    def filtered(data: dict[str, Any]) -> Any:
        prefix = data.get("logStreamNamePrefix")
        group = cloudwatch_logs._log_groups.get(cloudwatch_logs._resolve_log_group_name(data))
        if not prefix or group is None:
            return original(data)
        if data.get("logStreamNames"):
            message = "logStreamNames and logStreamNamePrefix exclude each other; give one of them."
            return responses.error_response_json("InvalidParameterException", message, 400)
        names = [name for name in group["streams"] if name.startswith(prefix)]
        if not names:  # an empty list would mean all streams
            return responses.json_response({"events": [], "searchedLogStreams": []})
        return original({**data, "logStreamNames": names})

    return filtered
