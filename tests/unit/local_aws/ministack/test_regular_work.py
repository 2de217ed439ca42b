"""Checks that one failing work does not keep the others from being done."""

import threading

from local_aws.ministack.regular_work import work_regularly


def test_what_fails_is_done_again_and_the_others_too() -> None:
    stopped, done = threading.Event(), list[str]()

    def fail() -> None:
        done.append("fails")
        raise ValueError

    def succeed() -> None:
        done.append("succeeds")
        if len(done) == 4:
            stopped.set()

    work_regularly([fail, succeed], stopped=stopped, interval_s=0.001)

    assert stopped.wait(10)
    assert done == ["fails", "succeeds"] * 2
