"""Checks the pages of a listing while resources are added."""

import pytest

from local_aws.sagemaker.protocol.errors import ServiceError
from local_aws.sagemaker.protocol.listing import page

MEMBERS = ("ModelName", "CreationTime")


def models(*times):
    return [{"ModelName": f"m{time}", "CreationTime": time, "ModelArn": "hidden"} for time in times]


def names(request, documents):
    answer = page(request, documents, answer_key="Models", summary=MEMBERS, name_key="ModelName")
    return [summary["ModelName"] for summary in answer["Models"]], answer.get("NextToken")


def test_the_newest_comes_first_and_only_the_summary_is_shown():
    answer = page({}, models(1, 3, 2), answer_key="Models", summary=MEMBERS, name_key="ModelName")

    assert answer == {"Models": [{"ModelName": f"m{time}", "CreationTime": time} for time in (3, 2, 1)]}


def test_a_document_added_between_two_pages_repeats_nothing():
    first, token = names({"MaxResults": 2}, models(1, 2, 3))
    second, end = names({"MaxResults": 2, "NextToken": token}, models(1, 2, 3, 4))

    assert (first, second, end) == (["m3", "m2"], ["m1"], None)


def test_ascending_pages_continue_after_the_last():
    first, token = names({"MaxResults": 2, "SortOrder": "Ascending"}, models(1, 2, 3))

    assert first == ["m1", "m2"]
    assert names({"NextToken": token, "SortOrder": "Ascending"}, models(1, 2, 3)) == (["m3"], None)


def test_equal_times_are_distinguished_by_name():
    documents = [{"ModelName": name, "CreationTime": 1} for name in "abc"]
    first, token = names({"MaxResults": 2}, documents)

    assert (first, names({"NextToken": token}, documents)[0]) == (["c", "b"], ["a"])


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"NameContains": "M1"}, ["m10", "m1"]),
        ({"CreationTimeAfter": 2}, ["m10"]),
        ({"CreationTimeBefore": 2}, ["m1"]),
    ],
)
def test_filters(request_, expected):
    assert names(request_, models(1, 2, 10))[0] == expected


@pytest.mark.parametrize("token", ["nonsense", "e30=", "ä"])
def test_a_token_of_another_origin_is_refused(token):
    with pytest.raises(ServiceError, match="NextToken is not one that this operation gave"):
        names({"NextToken": token}, models(1))


def test_a_token_of_another_order_is_refused():
    _, token = names({"MaxResults": 1}, models(1, 2))

    with pytest.raises(ServiceError, match="NextToken is not one that this operation gave"):
        names({"NextToken": token, "SortBy": "Name"}, models(1, 2))
