"""Defines one result of the preflight: what was checked, what was found, and the command that gets what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

STACK = "image-classifier"
DEPLOY = "python -m image_classifier deploy"
Status = Literal["ok", "missing", "not checked"]


@dataclass(frozen=True)
class Finding:
    """What was found out about one need of the deployment.

    Attributes:
        check: what was asked, in two or three words.
        status: ``missing`` stops a run; ``not checked`` is a question that AWS did not answer.
        found: what AWS said.
        command: what gets it, as a person types it; empty if nothing is missing.

    """

    check: str
    status: Status
    found: str
    command: str = ""


def as_report(findings: Sequence[Finding]) -> str:
    """The findings for people, each with its command below it, and a sentence that sums them up."""
    width = max(len(finding.check) for finding in findings)
    lines = [line for finding in findings for line in _lines(finding, width=width)]
    return "\n".join([*lines, "", _summary(findings)])


def is_ready(findings: Sequence[Finding]) -> bool:
    """Whether nothing is missing."""
    return all(finding.status != "missing" for finding in findings)


def _lines(finding: Finding, *, width: int) -> list[str]:
    line = f"{finding.status:<11}  {finding.check:<{width}}  {finding.found}"
    return [line, *(f"{'':<11}    {part}" for part in finding.command.splitlines())]


def _summary(findings: Sequence[Finding]) -> str:
    missing = [finding.check for finding in findings if finding.status == "missing"]
    unchecked = [finding.check for finding in findings if finding.status == "not checked"]
    result = f"{len(missing)} missing: {', '.join(missing)}." if missing else "Nothing is missing."
    return result + (f" {len(unchecked)} not checked: {', '.join(unchecked)}." if unchecked else "")
