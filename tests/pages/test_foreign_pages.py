"""Checks in a real browser that a web page of another origin cannot use the local AWS."""

import base64
import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError

SECRET = "only programs may read this"
EFFECT = """
import boto3
def handler(event, context):
    boto3.client("s3").put_object(Bucket=event["bucket"], Key=event["key"], Body=b"invoked")
    return "invoked"
"""
FETCH = """async ({url, method, headers, body, mode}) => {
  try {
    const answer = await fetch(url, {method, headers, body, mode});
    return {type: answer.type, status: answer.status, text: await answer.text()};
  } catch (error) { return {type: 'error', status: 0, text: String(error)}; }
}"""


def code():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", EFFECT)
    return buffer.getvalue()


def description(local_aws, name):
    return {"FunctionName": name, "Role": local_aws.role, "Runtime": local_aws.runtime, "Handler": "app.handler"}


@pytest.fixture(scope="module", autouse=True)
def victim(local_aws):
    """A function and an object; boto3 can do all that the pages try."""
    functions, s3 = local_aws.client("lambda"), local_aws.client("s3")
    functions.create_function(**description(local_aws, "victim"), Code={"ZipFile": code()}, Timeout=30)
    functions.get_waiter("function_active_v2").wait(FunctionName="victim")
    event = json.dumps({"bucket": local_aws.bucket, "key": "from-boto3"})
    answer = functions.invoke(FunctionName="victim", Payload=event)
    assert json.load(answer["Payload"]) == "invoked"
    s3.put_object(Bucket=local_aws.bucket, Key="secret", Body=SECRET.encode())
    assert s3.get_object(Bucket=local_aws.bucket, Key="secret")["Body"].read() == SECRET.encode()
    assert local_aws.client("iam").list_roles()["Roles"]
    assert local_aws.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def attacks(local_aws, *, base, sagemaker):
    """What a page tries, without the headers that make a browser ask first where the API does not need them."""
    function = description(local_aws, "planted") | {"Code": {"ZipFile": base64.b64encode(code()).decode()}}
    event = {"bucket": local_aws.bucket, "key": "planted"}
    text, form = {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}
    lists = {"X-Amz-Target": "SageMaker.ListTrainingJobs"}
    names = ("method", "url", "headers", "body")
    functions = f"{base}/2015-03-31/functions"
    requests = {
        "list roles": ("POST", f"{base}/", form, "Action=ListRoles&Version=2010-05-08"),
        "list roles by GET": ("GET", f"{base}/?Action=ListRoles&Version=2010-05-08", {}, None),
        "create a function": ("POST", functions, text, json.dumps(function)),
        "invoke a function": ("POST", f"{functions}/victim/invocations", text, json.dumps(event)),
        "put an object": ("PUT", f"{base}/{local_aws.bucket}/planted", text, "planted"),
        "get an object": ("GET", f"{base}/{local_aws.bucket}/secret", {}, None),
        "list training jobs": ("POST", f"{sagemaker}/", lists, "{}"),
    }
    return {name: dict(zip(names, values, strict=True)) for name, values in requests.items()}


def planted(local_aws):
    """What the pages have left."""
    functions = local_aws.client("lambda").list_functions()["Functions"]
    objects = local_aws.client("s3").list_objects_v2(Bucket=local_aws.bucket, Prefix="planted").get("Contents", [])
    return [f["FunctionName"] for f in functions if f["FunctionName"] != "victim"] + [o["Key"] for o in objects]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "evil.example"])
@pytest.mark.parametrize("mode", ["cors", "no-cors"])
def test_a_page_of_another_origin_reads_and_changes_nothing(page, local_aws, foreign_port, host, mode):
    page.goto(f"http://{host}:{foreign_port}/")

    for name, attack in attacks(local_aws, base=local_aws.url, sagemaker=local_aws.sagemaker_url).items():
        answer = page.evaluate(FETCH, attack | {"mode": mode})
        assert answer["type"] in {"error", "opaque"}, name
        assert SECRET not in answer["text"], name
        assert planted(local_aws) == [], name


def test_a_name_bound_to_this_machine_afterwards_reads_and_changes_nothing(page, local_aws):
    base = f"http://evil.example:{local_aws.port}"
    sagemaker = local_aws.sagemaker_url.replace("127.0.0.1", "evil.example")
    opened = page.goto(f"{base}/")
    assert opened.status == 403
    assert "evil.example" in opened.text()

    for name, attack in attacks(local_aws, base=base, sagemaker=base).items():
        answer = page.evaluate(FETCH, attack | {"mode": "cors"})
        assert answer["status"] == 403, name
        assert planted(local_aws) == [], name

    page.goto(f"{sagemaker}/health")
    attack = attacks(local_aws, base=base, sagemaker=sagemaker)["list training jobs"]
    assert page.evaluate(FETCH, attack | {"mode": "cors"})["status"] == 403


def test_a_form_of_another_origin_creates_no_function(page, local_aws, foreign_port):
    page.goto(f"http://localhost:{foreign_port}/")
    attack = attacks(local_aws, base=local_aws.url, sagemaker="")["create a function"]
    # A text/plain form sends name=value: the "=" goes into a field that the API ignores.
    name = attack["body"][:-1] + ', "ignored": "'
    with page.expect_navigation() as navigation:
        page.evaluate(
            """([url, name]) => {
              const form = document.createElement('form');
              Object.assign(form, {method: 'post', action: url, enctype: 'text/plain'});
              form.append(Object.assign(document.createElement('input'), {name, value: '"}'}));
              document.body.append(form);
              form.submit();
            }""",
            [attack["url"], name],
        )

    assert navigation.value.status == 403
    assert planted(local_aws) == []


def test_an_image_of_another_origin_deletes_nothing(page, local_aws, foreign_port):
    iam = local_aws.client("iam")
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    iam.create_role(RoleName="kept", AssumeRolePolicyDocument=policy)
    page.goto(f"http://localhost:{foreign_port}/")
    address = f"{local_aws.url}/?Action=DeleteRole&RoleName=kept&Version=2010-05-08"

    loaded = page.evaluate(
        """src => new Promise(done => {
          const image = Object.assign(new Image(), {onload: () => done(true), onerror: () => done(false)});
          image.src = src;
        })""",
        address,
    )

    assert not loaded
    assert iam.get_role(RoleName="kept")["Role"]["RoleName"] == "kept"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "evil.example"])
def test_a_link_opens_a_page_of_the_local_aws_and_a_frame_does_not(page, local_aws, foreign_port, host):
    page.goto(f"http://{host}:{foreign_port}/")
    address = f"{local_aws.url}/_console/functions/victim"

    with page.expect_response(address) as framed:
        page.evaluate(
            "url => { document.body.append(Object.assign(document.createElement('iframe'), {src: url})); }", address
        )
    assert framed.value.status == 403

    page.evaluate(
        "href => { document.body.append(Object.assign(document.createElement('a'), {href, textContent: 'open'})); }",
        address,
    )
    page.click("a")
    page.wait_for_url(address)
    assert page.title() == "Function victim"


def test_an_object_is_opened_from_a_page_and_runs_no_script(page, local_aws):
    html = b"<title>before</title><script>document.title = 'the script ran'</script>"
    local_aws.client("s3").put_object(Bucket=local_aws.bucket, Key="html/a.html", Body=html, ContentType="text/html")
    page.goto(f"{local_aws.url}/_console/buckets/{local_aws.bucket}/html/")

    page.click("text=html/a.html")
    page.wait_for_url("**/a.html")

    assert page.title() == "before"


def test_boto3_still_hears_that_a_function_is_missing(local_aws):
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        local_aws.client("lambda").get_function(FunctionName="planted")
