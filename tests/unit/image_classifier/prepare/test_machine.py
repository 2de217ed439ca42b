import pytest

from image_classifier.prepare.shards import machine

GIB = 1024**3


@pytest.fixture
def cgroup(tmp_path, monkeypatch):
    """A machine with 8 cores and 16 GiB, and the files of a control group."""
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(machine.os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 16 * GIB // 4096}.get)

    def write(**files):
        for name, text in files.items():
            file = tmp_path / name.replace("__", "/").replace("_of_", ".", 1)
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("files", "cores", "memory_bytes"),
    [
        ({}, 8, 16 * GIB),
        ({"cpu_of_max": "max 100000\n", "memory_of_max": "max\n"}, 8, 16 * GIB),
        ({"cpu_of_max": "150000 100000\n", "memory_of_max": f"{GIB}\n"}, 2, GIB),
        ({"cpu_of_max": "10000 100000\n"}, 1, 16 * GIB),
        ({"cpu_of_max": "9900000 100000\n", "memory_of_max": f"{99 * GIB}\n"}, 8, 16 * GIB),
        (
            {
                "cpu__cpu_of_cfs_quota_us": "200000\n",
                "cpu__cpu_of_cfs_period_us": "100000\n",
                "memory__memory_of_limit_in_bytes": f"{2 * GIB}\n",
            },
            2,
            2 * GIB,
        ),
        ({"cpu__cpu_of_cfs_quota_us": "-1\n", "cpu__cpu_of_cfs_period_us": "100000\n"}, 8, 16 * GIB),
    ],
)
def test_a_container_s_limits_hold(cgroup, files, cores, memory_bytes):
    limits = cgroup(**files)

    assert (machine.cores(limits), machine.memory_bytes(limits)) == (cores, memory_bytes)


@pytest.mark.parametrize(("memory", "processes"), [("max", 8), (f"{GIB}", 2), ("1000000", 1)])
def test_as_many_processes_work_as_there_are_cores_and_memory_for(cgroup, memory, processes):
    assert machine.processes(cgroup(memory_of_max=memory)) == processes
