"""Implements the tag operations; a tag belongs to the ARN of an existing resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.sagemaker.protocol.errors import validation_error

if TYPE_CHECKING:
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.store import Store

KINDS = (
    "training-job",
    "transform-job",
    "processing-job",
    "model",
    "endpoint-config",
    "endpoint",
    "model-package-group",
    "hyper-parameter-tuning-job",
)
MAX_TAGS = 50


class Tags:
    """AddTags, ListTags and DeleteTags."""

    def __init__(self, *, aws: Aws, store: Store) -> None:
        """Tags are in the store."""
        self._aws = aws
        self._store = store

    def add_tags(self, request: Document) -> Document:
        """Add tags, or change their values."""
        arn, tags = self._existing(request["ResourceArn"]), as_dict(request["Tags"])
        count = len(self._store.tags(arn) | tags)
        if count > MAX_TAGS:
            raise validation_error(f"A resource has at most {MAX_TAGS} tags; {arn} would have {count}.")
        self._store.set_tags(arn, tags)
        return {"Tags": self._tags(arn)}

    def list_tags(self, request: Document) -> Document:
        """Return every tag in one page: there are at most 50."""
        return {"Tags": self._tags(self._existing(request["ResourceArn"]))}

    def delete_tags(self, request: Document) -> Document:
        """Remove tags by key."""
        self._store.remove_tags(self._existing(request["ResourceArn"]), request["TagKeys"])
        return {}

    def _tags(self, arn: str) -> list[Document]:
        return [{"Key": key, "Value": value} for key, value in self._store.tags(arn).items()]

    def _existing(self, arn: str) -> str:
        kind, _, name = arn.rpartition(":")[2].partition("/")
        if kind in KINDS and arn == self._aws.arn(kind, name) and self._store.get(kind, name) is not None:
            return arn
        raise validation_error(f"Could not find resource {arn}; tags can be given to: {', '.join(KINDS)}")


def check_tags(tags: list[Document]) -> None:
    """Refuse tags that AWS refuses in every operation that takes tags (AWS General Reference, "Tagging").

    Raises:
        ServiceError: ``ValidationException``, for a key that is given twice or that AWS keeps for itself.

    """
    keys = [tag["Key"] for tag in tags]
    reserved = [key for key in keys if key.lower().startswith("aws:")]
    if reserved:
        raise validation_error(f"Tag keys that start with aws: are reserved for AWS; found {', '.join(reserved)}.")
    if len(keys) != len(set(keys)):
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise validation_error(f"Tag keys must be unique for a resource; found more than once: {', '.join(twice)}.")


def as_dict(tags: list[Document]) -> dict[str, str]:
    """Return the tags of a request as a dict of values by key."""
    return {tag["Key"]: tag["Value"] for tag in tags}
