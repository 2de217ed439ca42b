"""Makes recorded_calls.json and docs/permissions.md: `python -m tests.permissions.record CALLS...`.

CALLS are files calls.jsonl, which a local AWS writes with LOCAL_AWS_RECORD_CALLS=1; `make record-calls` runs it all.
One call is kept for each principal, action and statement that allows it. Names that differ from run to run are
replaced.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.permissions.policies import ACCOUNT, BUCKET, Statement, allows, statements
from tests.permissions.reasons import reason

RECORDED = Path(__file__).with_name("recorded_calls.json")
PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"
USERS = {"image-classifier-airflow": "Airflow", "image-classifier-api-server": "ApiServer"}
HEAD = """# Who may do what, and why

This page lists the roles and policies of the [CloudFormation template](../include/infrastructure/template.yaml), and
why each action is allowed: the resource of a recorded call that needs it, or a reason if no recorded call does.

`make record-calls` records the calls and writes this page. It runs the Dags, and the tests of jobs and pages, against
the local AWS, which enforces these policies. A test checks, for each statement, that a recorded call is denied without
it.

IAM's `*` also matches slashes: `the-bucket/*/incoming/*` matches the prefix `incoming/` of every classifier, and every
key that contains `/incoming/`. All classifiers of a deployment can therefore read each other's data; deploy a separate
stack for a classifier that must be isolated.
"""


def read(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """The calls of the stack's principals, in words that are the same in every run."""
    for file in files:
        for line in file.read_text().splitlines():
            call = json.loads(line)
            if principal := _principal(call["principal"]):
                context = {key: value for key, value in call["context"].items() if not key.startswith("s3:")}
                yield {
                    **call,
                    "principal": principal,
                    "resource": _resource(call["resource"]),
                    "context": _tags(context),
                }


def keep(calls: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One call of each kind, in the order of the template."""
    kept, everything = dict[tuple[str, str, str, str], dict[str, Any]](), statements()
    for call in calls:
        for statement in everything:
            key = (statement.principal, statement.policy, statement.sid, call["action"])
            is_asked = statement.principal == call["principal"] and call["action"] in statement.actions
            if is_asked and key not in kept and allows([statement], call):
                kept[key] = dict(call)
    order = [(item.principal, item.policy, item.sid) for item in everything]
    return [kept[key] for key in sorted(kept, key=lambda key: (order.index(key[:3]), key[3]))]


def page(calls: list[dict[str, Any]]) -> str:
    """Return docs/permissions.md, with a line for each action of each statement."""
    lines = [HEAD]
    for principal, policy in dict.fromkeys((item.principal, item.policy) for item in statements()):
        lines += [
            f"## {principal}: `{policy}`",
            "",
            "| Statement | Action | Recorded call or reason |",
            "|---|---|---|",
        ]
        for statement in statements():
            if (statement.principal, statement.policy) == (principal, policy):
                lines += [_line(statement, action, calls) for action in sorted(statement.actions)]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _line(statement: Statement, action: str, calls: list[dict[str, Any]]) -> str:
    found = (call for call in calls if call["action"] == action and allows([statement], call))
    call = next(found, None)
    why = f"`{call['resource']}`" if call else reason(statement, action)
    return f"| {statement.sid} | `{action}` | {why} |"


def _principal(arn: str) -> str | None:
    name = arn.rsplit(":", 1)[-1].split("/")[1] if "/" in arn else ""
    if name in USERS:
        return USERS[name]
    role = re.fullmatch(r"image-classifier-(\w+Role)-\w+", name)
    return role[1] if role else None


def _resource(arn: str) -> str:
    arn = arn.replace("image-classifier-000000000000-us-east-1", BUCKET).replace(":000000000000:", f":{ACCOUNT}:")
    arn = re.sub(r"image-classifier-(\w+Role|FailureQueue)-\w+", r"\1", arn)
    return arn.replace(f"{ACCOUNT}:FailureQueue", f"{ACCOUNT}:image-classifier-FailureQueue")


def _tags(context: Mapping[str, Any]) -> dict[str, Any]:
    """The context without what names a run."""
    kept = {key: value for key, value in sorted(context.items()) if not key.endswith(("-run", "-dag", "-task"))}
    return {key: _resource(value) if isinstance(value, str) else value for key, value in kept.items()}


def main(files: list[str]) -> None:
    """Write both files; says what of the policies no call has needed."""
    calls = keep(read(map(Path, files)))
    RECORDED.write_text(json.dumps(calls, indent=1, sort_keys=True) + "\n")
    PAGE.write_text(page(calls))
    print(f"{len(calls)} calls in {RECORDED.name}, the table in {PAGE.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
