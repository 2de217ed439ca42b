"""Checks which calls are repeated after temporary errors or until a condition holds, and when repeating ends."""

import pytest
from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import is_absent, is_busy
from image_classifier.aws.retry import repeat_at_random_on, repeat_at_random_until, repeat_on, repeat_until

BUSY = ClientError({"Error": {"Code": "ValidationException", "Message": "in-progress"}}, "UpdateEndpoint")


class Call:
    """Raises or returns these, one a call."""

    def __init__(self, *results):
        self.results = list(results)

    def __call__(self):
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


def test_a_temporary_error_is_repeated_after_a_pause(pauses):
    assert repeat_on(is_busy, Call(BUSY, BUSY, "done"), tries=3, pause_s=5) == "done"
    assert pauses == [5, 5]


def test_the_last_error_is_raised():
    with pytest.raises(ClientError) as caught:
        repeat_on(is_busy, Call(BUSY, BUSY), tries=2, pause_s=5)

    assert caught.value is BUSY


@pytest.mark.parametrize("error", [BUSY, ValueError("x")])
def test_another_error_is_raised_at_once(pauses, error):
    with pytest.raises(type(error)):
        repeat_on(is_absent, Call(error), tries=3, pause_s=5)

    assert pauses == []


def test_waiting_ends_when_it_is_done(pauses):
    assert repeat_until(Call(False, True), tries=3, pause_s=10)
    assert pauses == [10]


def test_waiting_ends_without_an_error_if_it_is_never_done():
    assert not repeat_until(Call(False, False), tries=2, pause_s=10)


def test_random_pauses_grow_to_their_limit(pauses):
    assert not repeat_at_random_until(lambda: False, tries=6, first_pause_s=1, most_s=4)
    assert len(pauses) == 5
    assert all(pause_s <= most_s for pause_s, most_s in zip(pauses, [1, 2, 4, 4, 4], strict=True))


def test_the_pauses_of_concurrent_calls_do_not_fill_the_log(caplog):
    caplog.set_level("DEBUG", logger="image_classifier")

    assert repeat_at_random_on(is_busy, Call(BUSY, BUSY, "done"), tries=3, first_pause_s=1, most_s=4) == "done"

    assert [record.levelname for record in caplog.records] == ["DEBUG", "DEBUG"]
