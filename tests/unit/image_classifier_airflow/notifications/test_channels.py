"""Checks that a provider's notifier serves every channel of a file, with the error's own text."""

import asyncio
import email
import html
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest
import requests
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from image_classifier.classifier import Notify
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier_airflow.notifications.channels import notifier
from image_classifier_airflow.notifications.messages import failed
from image_classifier_airflow.notifications.webhook import TIME_LIMIT_S

JINJA = "KeyError: {{ conn.prod.password }} {% no such tag <b>"
MESSAGE = failed(
    "cats",
    dag_id="cats_train_and_deploy",
    run_id="manual__1",
    task_id="train.train_model",
    reason="task_failure",
    error=JINJA,
    url="https://airflow.example.com/log",
)
TOLD = [lambda sender: sender.notify({}), lambda sender: asyncio.run(sender.async_notify({}))]
NOW_AND_LATER = pytest.mark.parametrize("tell", TOLD, ids=["in the Dag processor", "in the triggerer"])


def sender(channel, to):
    return notifier(channel, to, message=MESSAGE, aws_conn_id="aws_default")


@pytest.fixture
def aws(monkeypatch):
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    extra = {"region_name": "us-east-1"}
    connection = {"conn_type": "aws", "login": "testing", "password": "testing", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
    with mock_aws():
        yield boto3.Session("testing", "testing")


class Listener(HTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts = []
        self.answer = 200

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posts.append((self.path, self.headers.get("Authorization"), body))
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_):
        """Not into the tests' output."""


@pytest.fixture
def listener():
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def connection(monkeypatch, listener):
    def connect(**fields):
        monkeypatch.setenv(
            "AIRFLOW_CONN_OPS", json.dumps({"conn_type": "http", "host": f"{listener.url}/hook", **fields})
        )

    connect()
    return connect


def test_sns_gets_the_message_in_the_topics_own_region(aws):
    sns, sqs = aws.client("sns", "eu-central-1"), aws.client("sqs", "eu-central-1")
    topic, queue = sns.create_topic(Name="runs")["TopicArn"], sqs.create_queue(QueueName="runs")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:eu-central-1:{DEFAULT_ACCOUNT_ID}:runs")

    sender("sns_topic_arn", topic).notify({})

    [received] = [json.loads(message["Body"]) for message in sqs.receive_message(QueueUrl=queue)["Messages"]]
    assert (received["Subject"], received["Message"]) == (MESSAGE.subject, MESSAGE.text)


def test_ses_sends_an_email_in_which_the_error_is_text(aws):
    aws.client("ses", "us-east-1").verify_email_identity(EmailAddress="airflow@example.com")

    sender("ses", {"sender": "airflow@example.com", "to": ["a@example.com", "b@example.com"]}).notify({})

    [sent] = ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    message = email.message_from_string(sent.raw_data)
    [body] = [part.get_payload(decode=True).decode() for part in message.walk() if not part.is_multipart()]
    assert (message["From"], message["To"]) == ("airflow@example.com", "a@example.com, b@example.com")
    assert message["Subject"] == MESSAGE.subject
    assert html.escape(MESSAGE.text) in body


@NOW_AND_LATER
def test_a_webhook_gets_every_field_with_the_error_as_it_is(tell, connection, listener):
    tell(sender("webhook_conn_id", "ops"))

    assert listener.posts == [("/hook", None, MESSAGE.fields())]
    assert JINJA in listener.posts[0][2]["sentence"]


@NOW_AND_LATER
def test_slack_gets_a_text_that_can_call_nobody(tell, connection, listener):
    message = failed(
        "cats", dag_id="d", run_id="r", task_id="t", reason="task_failure", error="<!channel> & co", url=""
    )

    tell(notifier("slack_conn_id", "ops", message=message, aws_conn_id="aws_default"))

    [(_, _, body)] = listener.posts
    assert set(body) == {"text"}
    assert "&lt;!channel&gt; &amp; co" in body["text"]


@NOW_AND_LATER
def test_the_secret_end_of_an_address_stands_in_the_password(tell, connection, listener):
    connection(password="T0/B0/secret")

    tell(sender("slack_conn_id", "ops"))

    assert [path for path, *_ in listener.posts] == ["/hook/T0/B0/secret"]


@NOW_AND_LATER
def test_with_a_login_the_password_is_for_authentication(tell, connection, listener):
    connection(login="airflow", password="secret")

    tell(sender("webhook_conn_id", "ops"))

    [(path, authorization, _)] = listener.posts
    assert path == "/hook"
    assert authorization.startswith("Basic ")


@NOW_AND_LATER
def test_a_refusal_is_an_error_and_not_silence(tell, connection, listener):
    listener.answer = 404

    with pytest.raises(Exception, match="404"):
        tell(sender("webhook_conn_id", "ops"))


def test_a_silent_address_cannot_keep_the_dag_processor_waiting(connection, monkeypatch):
    limits = []
    send = requests.Session.send
    monkeypatch.setattr(requests.Session, "send", lambda *a, **k: limits.append(k["timeout"]) or send(*a, **k))

    sender("webhook_conn_id", "ops").notify({})

    assert limits == [TIME_LIMIT_S]


def test_every_channel_that_a_file_may_name_has_a_sender():
    channels = Notify(
        sns_topic_arn="arn:aws:sns:us-east-1:123456789012:runs",
        ses={"sender": "airflow@example.com", "to": ["a@example.com"]},
        slack_conn_id="slack",
        webhook_conn_id="ops",
    ).channels

    assert set(channels) == set(Notify.model_fields) - {"deadline_s"}
    assert [sender(channel, to) for channel, to in channels.items()]


def test_a_channel_of_another_release_is_named():
    with pytest.raises(ClassifierFileError, match="pager"):
        sender("pager", "x")
