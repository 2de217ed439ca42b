"""Checks that odd requests, made from the service model, never get status 500."""

import json
import random
import string

import httpx
import pytest

from local_aws.sagemaker.protocol import validation

SEED = 20261128
ODD_TEXTS = [
    "",
    "a" * 5_000,
    "é\u0000ü",
    "\U0001f600",
    "..",
    "a/b",
    "s3://",
    "s3://b",
    "arn:aws:sagemaker:x",
    "%2e",
    "'",
]
ODD_VALUES = [None, True, -1, 0, 10**30, 1e308, [], {}, [[]], {"a": {}}, "NaN", *ODD_TEXTS]
ODD_BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"17",
    b'"text"',
    b"\xff\xfe",
    b"{}" * 2,
    b'{"a": NaN}',
    b'{"a": "\\ud800"}',
    b"[" * 60_000,
    b'{"TrainingJobName":' * 60_000,
    b'{"a": ' + b"9" * 6_000 + b"}",
    b" " * 5_000_000,
]


def odd_value(shape, dice, depth=0):
    """A value that the member may have, or one that it may not."""
    if dice.random() < 0.08 or depth > 8:
        return dice.choice(ODD_VALUES)
    if shape.type_name == "structure":
        wanted = [name for name in shape.members if name in shape.required_members or dice.random() < 0.25]
        return {name: odd_value(shape.members[name], dice, depth + 1) for name in wanted if dice.random() < 0.95}
    if shape.type_name == "list":
        return [odd_value(shape.member, dice, depth + 1) for _ in range(dice.choice((0, 1, 1, 2)))]
    if shape.type_name == "map":
        keys = [odd_value(shape.key, dice, depth + 1) for _ in range(dice.choice((0, 1, 2)))]
        return {str(key): odd_value(shape.value, dice, depth + 1) for key in keys}
    if shape.type_name == "string":
        return odd_text(shape, dice)
    if shape.type_name == "boolean":
        return dice.random() < 0.5
    return dice.choice((0, 1, 2, -1, 60, 3600, 2**31, 2**63, 0.5))


def odd_text(shape, dice):
    if shape.enum:
        return dice.choice(shape.enum)
    kind = dice.random()
    if kind < 0.2:
        return dice.choice(ODD_TEXTS)
    if kind < 0.4:
        return dice.choice(("s3://images/data/train/", "s3://none/a", "arn:aws:iam::000000000000:role/sagemaker"))
    return "".join(dice.choices(string.ascii_lowercase + "-", k=dice.randint(1, 12)))


def answers_of(server, requests):
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        for method, path, headers, body in requests:
            try:
                yield client.request(method, path, headers=headers, content=body), (path, headers, body[:500])
            except httpx.WriteError:  # refused before it was sent to its end
                continue


def control_requests(operations, *, count):
    dice = random.Random(SEED)
    for _ in range(count):
        operation = dice.choice(operations)
        shape = validation.service_model().operation_model(operation).input_shape
        body = json.dumps(odd_value(shape, dice)).encode()
        if dice.random() < 0.1:
            place = dice.randrange(len(body))
            body = body[:place] + dice.randbytes(dice.randrange(4)) + body[place + dice.randrange(4) :]
        yield "POST", "/", {"x-amz-target": f"SageMaker.{operation}"}, body


def invocations(*, count):
    dice = random.Random(SEED)
    for _ in range(count):
        name = dice.choice(("e", "%00", "..%2F..", "%F0%9F%98%80", "a" * 3_000, "%", "a%20b"))
        headers = {
            header: "".join(dice.choices(string.printable[:94], k=dice.choice((0, 1, 20, 2_000)))).strip()
            for header in ("content-type", "accept", "x-amzn-sagemaker-target-variant", "x-amzn-sagemaker-inference-id")
            if dice.random() < 0.5
        }
        yield dice.choice(("POST", "POST", "GET", "PUT")), f"/endpoints/{name}/invocations", headers, dice.randbytes(9)


@pytest.fixture(scope="module")
def operations(server):
    return httpx.get(f"{server.url}/health", trust_env=False).json()["operations"]


def server_errors(server, requests):
    answers = list(answers_of(server, requests))
    assert answers
    return [(answer.status_code, answer.text, request) for answer, request in answers if answer.status_code >= 500]


def test_no_odd_request_of_the_control_plane_is_a_server_error(server, operations):
    assert server_errors(server, control_requests(operations, count=1_500)) == []


def test_no_odd_body_is_a_server_error(server, operations):
    requests = [
        ("POST", "/", {"x-amz-target": f"SageMaker.{name}"}, body) for name in operations[::4] for body in ODD_BODIES
    ]
    targets = ["", "SageMaker.", "SageMaker.None", "Other.ListModels", "SageMaker.__class__", "é".encode()]
    requests += [("POST", "/", {"x-amz-target": target}, b"{}") for target in targets]

    assert server_errors(server, requests) == []


def test_no_odd_invocation_is_a_server_error(server):
    assert server_errors(server, invocations(count=300)) == []


def test_after_all_of_them_the_server_still_trains(server, name, job_request):
    server.sagemaker.create_training_job(**job_request(name))

    assert server.ended_job(name)["TrainingJobStatus"] == "Completed"
