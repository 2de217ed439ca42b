"""Checks the web pages of functions, logs and objects."""

import time

import httpx
from tests.waiting import until

PRINTS = "def handler(event, context):\n    print('seen <b>' + event['word'])\n"


def page(ministack, path):
    answer = httpx.get(f"{ministack.url}/_console/{path}", trust_env=False, timeout=30)
    return answer.status_code, answer.text


def test_a_function_shows_its_alias_configuration_and_log(ministack):
    ministack.create_function("prints", PRINTS)
    ministack.invoke("prints", {"word": "pelican"})
    until(lambda: ministack.log_lines("prints"))

    status, function = page(ministack, "functions/prints")
    _, log = page(ministack, "logs/aws/lambda/prints")

    assert status == 200
    assert "<th>live</th><td>version 1</td>" in function
    assert "app.handler" in function
    assert "seen &lt;b&gt;pelican" in function
    assert "seen &lt;b&gt;pelican" in log


def test_a_log_group_shows_the_streams_with_a_prefix(ministack):
    logs = ministack.client("logs")
    logs.create_log_group(logGroupName="/aws/pages")
    for stream in ("job-1/algo-1", "job-2/algo-1"):
        logs.create_log_stream(logGroupName="/aws/pages", logStreamName=stream)
        event = {"timestamp": int(time.time() * 1000), "message": f"line of {stream}"}
        logs.put_log_events(logGroupName="/aws/pages", logStreamName=stream, logEvents=[event])

    _, html = page(ministack, "logs/aws/pages?streams=job-1%2F")

    assert "line of job-1/algo-1" in html
    assert "job-2" not in html


def test_a_log_group_that_is_not_there_yet_says_so(ministack):
    status, html = page(ministack, "logs/aws/nobody")

    assert status == 200
    assert "Nothing has been written yet." in html


def test_a_prefix_lists_its_objects_and_each_can_be_opened(ministack):
    s3 = ministack.client("s3")
    s3.put_object(Bucket=ministack.bucket, Key="pages/in/a b?.txt", Body=b"twelve bytes")
    s3.put_object(Bucket=ministack.bucket, Key="pages/out/c.txt", Body=b"")

    _, html = page(ministack, f"buckets/{ministack.bucket}/pages/in/")

    assert "<p>1 object</p>" in html
    address = html.partition('<td><a href="')[2].partition('"')[0]
    assert httpx.get(f"{ministack.url}{address}", trust_env=False).content == b"twelve bytes"


def test_an_object_that_is_html_may_not_run_scripts(ministack):
    html = {"Body": b"<script>alert(1)</script>", "ContentType": "text/html"}
    ministack.client("s3").put_object(Bucket=ministack.bucket, Key="pages/hostile.html", **html)

    answer = httpx.get(f"{ministack.url}/_console/objects/{ministack.bucket}/pages/hostile.html", trust_env=False)

    assert answer.headers["content-type"].startswith("text/html")
    assert "allow-scripts" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("sandbox")


def test_a_bucket_that_is_not_there_is_not_found(ministack):
    assert page(ministack, "buckets/no-such-bucket/")[0] == 404
