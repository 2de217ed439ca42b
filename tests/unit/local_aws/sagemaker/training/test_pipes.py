"""Checks the named pipes: one per epoch, written while the program reads."""

import contextlib
import os
import threading

from local_aws.sagemaker.jobs.downloads import DataError
from local_aws.sagemaker.training.pipes import ChannelPipes

LARGE = bytes(range(256)) * 1024  # more than a pipe holds


class Epochs:
    """A stream whose epochs are given; the last goes on for ever."""

    def __init__(self, *epochs):
        self.epochs = epochs

    def epoch(self, number):
        for chunk in self.epochs[min(number, len(self.epochs) - 1)]:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


def pipes(folder, *epochs):
    return ChannelPipes(folder, "train", stream=Epochs(*epochs))


def test_each_epoch_is_read_from_a_pipe_of_its_own(tmp_path):
    with pipes(tmp_path, [b"one ", LARGE], [b"two"]):
        assert (tmp_path / "train_0").is_fifo()
        assert (tmp_path / "train_0").read_bytes() == b"one " + LARGE
        assert (tmp_path / "train_1").read_bytes() == b"two"


def test_a_pipe_that_is_closed_early_is_followed_by_the_whole_next_epoch(tmp_path):
    with pipes(tmp_path, [LARGE], [b"two"]):
        with (tmp_path / "train_0").open("rb", buffering=0) as first:
            first.read(10)
        assert (tmp_path / "train_1").read_bytes() == b"two"


def is_writing():
    return any(thread.name == "pipe train" for thread in threading.enumerate())


def test_a_program_that_never_reads_is_not_waited_for(tmp_path):
    with pipes(tmp_path, [LARGE]):
        assert is_writing()

    assert not is_writing()


def test_a_program_that_stops_reading_is_not_waited_for(tmp_path):
    with contextlib.ExitStack() as reader, pipes(tmp_path, [LARGE]):
        first = reader.enter_context((tmp_path / "train_0").open("rb", buffering=0))
        assert first.read(10) == LARGE[:10]

    assert not is_writing()


def error_of(channel):
    """Return the error that `check` raises; wait until there is one."""
    while True:
        try:
            channel.check()
        except DataError as error:
            return error
        os.sched_yield()


def test_a_channel_that_cannot_be_read_does_not_end_the_epoch(tmp_path):
    read = threading.Event()

    def program():
        (tmp_path / "train_0").read_bytes()
        read.set()

    with pipes(tmp_path, [b"one", DataError("it is gone")]) as channel:
        threading.Thread(target=program, daemon=True).start()
        assert str(error_of(channel)) == "it is gone"
        assert not read.is_set()
    assert read.wait(10)
