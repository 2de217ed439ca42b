"""Checks that lines reach CloudWatch Logs once and in order, also when it does not answer for a while."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from tests.waiting import until

from local_aws.sagemaker import logs
from local_aws.sagemaker.logs import LogShipper


class FakeLogs:
    """A log service that may be away, and that knows a stream only after it was made."""

    def __init__(self, *, away=0):
        self.away = away
        self.made = []
        self.batches = []
        self.times = []

    def put_log_events(self, *, logGroupName, logStreamName, logEvents):  # noqa: N803
        if self.away:
            self.away -= 1
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        if len(self.made) < 2:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "PutLogEvents")
        self.times += [event["timestamp"] for event in logEvents]
        self.batches.append([event["message"] for event in logEvents])

    def create_log_group(self, **names):
        self.made.append(names)

    def create_log_stream(self, **names):
        self.made.append(names)

    @property
    def lines(self):
        return [line for batch in self.batches for line in batch]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(logs, "INTERVAL_S", 0.01)


def shipper(file, service, **options):
    return LogShipper(file, logs=service, group="g", stream="s", **options)


def test_lines_arrive_in_order_and_the_stream_is_made(tmp_path):
    service, seen = FakeLogs(), []
    with shipper(tmp_path / "log", service, on_lines=seen.extend):
        (tmp_path / "log").write_text("one\ntwo\n\nunfinished")

    assert service.lines == ["one", "two", "unfinished"]
    assert seen == ["one", "two", "", "unfinished"]
    assert service.made == [{"logGroupName": "g"}, {"logGroupName": "g", "logStreamName": "s"}]


def test_lines_arrive_while_the_file_is_being_written(tmp_path):
    service = FakeLogs()
    with shipper(tmp_path / "log", service):
        (tmp_path / "log").write_text("one\nhal")
        while_running = until(lambda: service.lines)

    assert while_running == ["one"]
    assert service.lines == ["one", "hal"]


def test_a_service_that_comes_back_gets_every_line(tmp_path):
    service = FakeLogs(away=3)
    with shipper(tmp_path / "log", service):
        (tmp_path / "log").write_text("one\ntwo\n")

    assert service.lines == ["one", "two"]


def test_a_service_that_stays_away_does_not_hold_the_job(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "FLUSH_S", 0.05)
    seen = []
    with shipper(tmp_path / "log", FakeLogs(away=10**9), on_lines=seen.extend):
        (tmp_path / "log").write_text("one\n")

    assert seen == ["one"]


def test_large_output_goes_in_batches_that_the_service_takes(tmp_path):
    service = FakeLogs()
    with shipper(tmp_path / "log", service):
        (tmp_path / "log").write_text("".join(f"{number} {'x' * 1000}\n" for number in range(2000)))

    assert [line.split()[0] for line in service.lines] == [str(number) for number in range(2000)]
    assert max(sum(len(line) + 26 for line in batch) for batch in service.batches) <= logs.MAX_BATCH_BYTES


def test_what_was_in_the_file_before_is_not_sent_again(tmp_path):
    service = FakeLogs()
    (tmp_path / "log").write_text("old\n")
    with shipper(tmp_path / "log", service), (tmp_path / "log").open("a") as file:
        file.write("new\n")

    assert service.lines == ["new"]


def test_a_file_that_grows_too_large_begins_again(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MAX_FILE_BYTES", 5)
    service = FakeLogs()
    with shipper(tmp_path / "log", service), (tmp_path / "log").open("a") as file:
        file.write("long enough\n")
        file.flush()
        until(lambda: not (tmp_path / "log").stat().st_size, what="the truncation")
        file.write("next\n")

    assert service.lines == ["long enough", "next"]
    assert (tmp_path / "log").read_text() == "next\n"


def test_a_clock_that_is_put_back_keeps_no_line_from_being_sent(tmp_path, monkeypatch):
    service = FakeLogs(away=1)
    clock = iter([9000.0, *[5.0] * 1000])
    monkeypatch.setattr(logs.time, "time", lambda: next(clock))
    with shipper(tmp_path / "log", service):
        (tmp_path / "log").write_text("one\n")
        until(lambda: not service.away)
        with (tmp_path / "log").open("a") as file:
            file.write("two\n")

    assert service.lines == ["one", "two"]
    assert set(service.times) == {5000}
