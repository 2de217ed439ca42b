"""Checks the answer for a service that this local AWS does not have."""

import pytest
from botocore.exceptions import ClientError


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("workspaces", "describe_workspaces", {}),  # JSON
        ("greengrass", "list_groups", {}),  # REST and JSON
        ("docdb-elastic", "list_clusters", {}),  # REST and JSON
        ("elasticbeanstalk", "describe_applications", {}),  # query and XML
    ],
)
def test_a_service_that_is_not_there_is_named_in_an_error(ministack, service, operation, request_):
    with pytest.raises(ClientError) as caught:
        getattr(ministack.client(service), operation)(**request_)

    error = caught.value.response["Error"]
    assert error["Code"] == "UnknownOperationException"
    assert error["Message"] == f"This local AWS does not have the service {service}."
