"""The tag operations; a tag belongs to the ARN of a resource that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws.sagemaker.protocol.errors import validation_error

if TYPE_CHECKING:
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.store import Store

Document = dict[str, Any]
KINDS = ("training-job", "transform-job", "processing-job", "model", "endpoint-config", "endpoint")


class Tags:
    """AddTags, ListTags and DeleteTags."""

    def __init__(self, *, aws: Aws, store: Store) -> None:
        """Tags are kept in the store."""
        self._aws = aws
        self._store = store

    def add_tags(self, request: Document) -> Document:
        """Add tags, or give them new values."""
        arn = self._existing(request["ResourceArn"])
        self._store.set_tags(arn, as_dict(request["Tags"]))
        return {"Tags": self._tags(arn)}

    def list_tags(self, request: Document) -> Document:
        """Every tag: there are at most 50, so there is one page."""
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


def as_dict(tags: list[Document]) -> dict[str, str]:
    """The tags of a request by key."""
    return {tag["Key"]: tag["Value"] for tag in tags}
