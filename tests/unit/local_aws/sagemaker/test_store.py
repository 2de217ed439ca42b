"""Checks that stored documents survive a restart, and that a failed change has no effect."""

import sqlite3
import threading

import pytest

from local_aws.sagemaker.store import Store


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "deep" / "state.sqlite")
    yield store
    store.close()


def test_a_name_is_taken_once(store):
    assert store.add("model", "a", {"n": 1})
    assert not store.add("model", "a", {"n": 2})
    assert store.add("endpoint", "a", {"n": 3})
    assert store.get("model", "a") == {"n": 1}


def test_another_connection_finds_what_was_written(store, tmp_path):
    store.add("model", "a", {"n": 1})
    store.set_tags("arn", {"k": "v"})

    other = Store(tmp_path / "deep" / "state.sqlite")

    assert (other.get("model", "a"), other.tags("arn")) == ({"n": 1}, {"k": "v"})
    other.close()


def test_a_change_that_raises_leaves_the_document(store):
    store.add("model", "a", {"n": 1})

    def change(document):
        document["n"] = 2
        raise sqlite3.OperationalError("disk full")

    with pytest.raises(sqlite3.OperationalError):
        store.change("model", "a", change)

    assert store.get("model", "a") == {"n": 1}
    assert store.change("model", "absent", change) is None


def test_changes_from_many_threads_all_count(store):
    store.add("model", "a", {"n": 0})

    def work():
        for _ in range(50):
            store.change("model", "a", lambda document: document.update(n=document["n"] + 1))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.get("model", "a") == {"n": 200}


def test_tags_go_with_their_resource(store):
    store.add("model", "a", {})
    store.set_tags("arn", {"k": "v", "l": "w"})
    store.remove_tags("arn", ["k", "absent"])
    assert store.tags("arn") == {"l": "w"}

    store.remove("model", "a", arn="arn")

    assert (store.get("model", "a"), store.tags("arn"), store.all("model")) == (None, {}, [])
