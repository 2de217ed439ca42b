"""Defines one result of the preflight: the check, what it found, and the command that provides what is missing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import sentence

STACK = "image-classifier"
# Where the package was installed from its wheel, there is no Makefile.
DEPLOY = "make aws-deploy # installed as a package: image-classifier deploy"
Status = Literal["ok", "missing", "not checked"]


@dataclass(frozen=True)
class Finding:
    """The result of checking one requirement of the deployment.

    Attributes:
        check: the requirement, in two or three words.
        status: ``missing`` stops a run; ``not checked`` means that AWS did not answer.
        found: what AWS answered.
        command: the shell command that provides it; empty if nothing is missing.

    """

    check: str
    status: Status
    found: str
    command: str = ""


def preflight_command(region: str) -> str:
    """Return the command that runs the preflight for another region."""
    return f"make aws-preflight REGION={region} # installed as a package: image-classifier preflight --region {region}"


def refusal(error: ClientError) -> str:
    """Return AWS's message without the usual reason, which only repeats the action, and what follows it."""
    return sentence(error).partition(" because no identity-based policy allows ")[0]


def as_report(findings: Sequence[Finding]) -> str:
    """Return the findings as text, each with its command, followed by a summary."""
    width = max(len(finding.check) for finding in findings)
    lines = [line for finding in findings for line in _lines(finding, width=width)]
    return "\n".join([*lines, "", _summary(findings)])


def is_ready(findings: Sequence[Finding]) -> bool:
    """Return whether no finding has the status ``missing``."""
    return all(finding.status != "missing" for finding in findings)


def _lines(finding: Finding, *, width: int) -> list[str]:
    line = f"{finding.status:<11}  {finding.check:<{width}}  {finding.found}"
    return [line, *(f"{'':<11}    {part}" for part in finding.command.splitlines())]


def _summary(findings: Sequence[Finding]) -> str:
    missing, unchecked = _listed(findings, "missing"), _listed(findings, "not checked")
    return f"{missing or 'Nothing is missing.'} {unchecked}".rstrip()


def _listed(findings: Sequence[Finding], status: Status) -> str:
    """Return the number of lines of this status, and their checks; a name has commas, so semicolons are between."""
    checks = Counter(finding.check for finding in findings if finding.status == status)
    names = "; ".join(f"{check} ({count} times)" if count > 1 else check for check, count in checks.items())
    return f"{checks.total()} {status}: {names}." if checks else ""
