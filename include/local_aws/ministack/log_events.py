"""Adds the filter logStreamNamePrefix to FilterLogEvents, which MiniStack ignores."""

from collections.abc import Callable

from local_aws.ministack.modules import Answer, cloudwatch_logs, responses


def filter_log_events(original: Callable[..., Answer]) -> Callable[..., Answer]:
    """Wrap FilterLogEvents."""

    def filtered(data: dict[str, object]) -> Answer:
        prefix = data.get("logStreamNamePrefix")
        group = cloudwatch_logs._log_groups.get(cloudwatch_logs._resolve_log_group_name(data))
        if not prefix or group is None:
            return original(data)
        if data.get("logStreamNames"):
            message = "logStreamNames and logStreamNamePrefix exclude each other; give one of them."
            refused: Answer = responses.error_response_json("InvalidParameterException", message, 400)
            return refused
        names = [name for name in group["streams"] if name.startswith(prefix)]
        if not names:  # an empty list would mean all streams
            nothing: Answer = responses.json_response({"events": [], "searchedLogStreams": []})
            return nothing
        return original({**data, "logStreamNames": names})

    return filtered
