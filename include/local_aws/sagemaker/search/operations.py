"""Implements the operation Search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.sagemaker.protocol.errors import validation_error
from local_aws.sagemaker.protocol.listing import page
from local_aws.sagemaker.protocol.validation import service_model
from local_aws.sagemaker.search.expressions import meets, values_of

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.platform import Platform

# Resource of the request -> kind in the store
KINDS = {
    "TrainingJob": "training-job",
    "HyperParameterTuningJob": "hyper-parameter-tuning-job",
    "Endpoint": "endpoint",
    "ModelPackage": "model-package",
    "ModelPackageGroup": "model-package-group",
}


class Search:
    """The operation Search."""

    def __init__(self, platform: Platform) -> None:
        """Search the documents of the store."""
        self._store = platform.store

    def search(self, request: Document) -> Document:
        """Return one page of the resources that meet SearchExpression, the last changed first."""
        resource, sort_by = request["Resource"], request.get("SortBy", "LastModifiedTime")
        if resource not in KINDS:
            raise validation_error(
                f"This local SageMaker does not search for {resource}; it does for {', '.join(KINDS)}."
            )
        members = service_model().shape_for("SearchRecord").members[resource].members
        records = (self._record(item, resource=resource) for item in self._store.all(KINDS[resource]))
        found = [
            {
                "Arn": record[f"{resource}Arn"],
                "CreationTime": record["CreationTime"],
                "Sorted": _sortable(values_of(record, sort_by) or values_of(record, "CreationTime")),
                "Record": {resource: {name: value for name, value in record.items() if name in members}},
            }
            for record in records
            if meets(record, request.get("SearchExpression", {}))
        ]
        asked = {name: request[name] for name in ("MaxResults", "NextToken", "SortOrder") if name in request}
        answer = page(
            asked | {"SortBy": "Sorted"},
            found,
            answer_key="Results",
            summary=("Record",),
            name_key="Arn",
            sort_keys={"Sorted": "Sorted"},
        )
        hits = {"Value": len(found), "Relation": "EqualTo"}
        return answer | {"Results": [item["Record"] for item in answer["Results"]], "TotalHits": hits}

    def _record(self, document: Document, *, resource: str) -> Document:
        tags = self._store.tags(document[f"{resource}Arn"])
        return document | {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _sortable(values: list[object]) -> list[object]:
    """Return a key that sorts numbers before texts, so that any two values can be compared."""
    value = values[0] if values else ""
    return [0, value] if isinstance(value, int | float) else [1, str(value)]
