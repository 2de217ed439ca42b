"""Defines the JSON messages in which the SageMaker server asks MiniStack about callers and their rights."""

from typing import NotRequired, TypedDict


class Check(TypedDict):
    """One right that a call needs."""

    action: str  # such as sagemaker:CreateModel
    resource: str  # an ARN, or *
    context: dict[str, str | list[str]]  # the values of condition keys


class Question(TypedDict):
    """Who calls, and the rights that the call needs."""

    access_key: str
    session_token: str
    checks: list[Check]


class Assumption(TypedDict):
    """A service that wants the credentials of a role, and the name of its session."""

    role_arn: str
    service: str
    session: str


class Denied(TypedDict):
    """The first right that the caller lacks."""

    action: str
    resource: str
    principal: str  # the caller's ARN
    explicit: bool  # whether a statement denies it


class Answer(TypedDict):
    """The secret of the caller, with which its signature is checked; or an error if the caller is unknown."""

    secret: NotRequired[str]
    denied: NotRequired[Denied | None]
    code: NotRequired[str]
    message: NotRequired[str]
