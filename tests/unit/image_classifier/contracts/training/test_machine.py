import pytest

from image_classifier.contracts.training import machine
from image_classifier.prepare.shards import processes

GIB = 1024**3
VERSION_2 = "0::/\n"
VERSION_1 = "5:memory:/c0\n4:cpu,cpuacct:/c0\n0::/\n"
SERVICE = "0::/airflow.slice/worker\n"


@pytest.fixture
def on(tmp_path, monkeypatch):
    """Write the files of the control groups of a machine with 8 cores and 16 GiB."""
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(machine.os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 16 * GIB // 4096}.get)
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own")

    def write(own, files):
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            file = tmp_path / "groups" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{text}\n")

    return write


@pytest.mark.parametrize(
    ("own", "files", "cores", "memory_bytes"),
    [
        (VERSION_2, {}, 8, 16 * GIB),
        (VERSION_2, {"cpu.max": "max 100000", "memory.max": "max"}, 8, 16 * GIB),
        (VERSION_2, {"cpu.max": "150000 100000", "memory.max": GIB}, 2, GIB),
        (VERSION_2, {"cpu.max": "10000 100000"}, 1, 16 * GIB),
        (VERSION_2, {"cpu.max": "9900000 100000", "memory.max": 99 * GIB}, 8, 16 * GIB),
        (
            SERVICE,
            {"airflow.slice/worker/memory.max": 3 * GIB, "airflow.slice/cpu.max": "100000 100000"},
            1,
            3 * GIB,
        ),
        (
            VERSION_1,
            {"cpu/cpu.cfs_quota_us": 200000, "cpu/cpu.cfs_period_us": 100000, "memory/memory.limit_in_bytes": 2 * GIB},
            2,
            2 * GIB,
        ),
        (
            VERSION_1,
            {
                "cpu/cpu.cfs_quota_us": -1,
                "cpu/cpu.cfs_period_us": 100000,
                "memory/c0/memory.limit_in_bytes": GIB,
            },
            8,
            GIB,
        ),
    ],
)
def test_the_limits_of_a_container_and_of_a_service_hold(on, own, files, cores, memory_bytes):
    on(own, files)

    assert (machine.usable_cores(), machine.usable_memory_bytes()) == (cores, memory_bytes)


def test_a_machine_without_control_groups_is_used_as_it_is(on):
    on("", {})
    machine.OWN_GROUPS.unlink()

    assert (machine.usable_cores(), machine.usable_memory_bytes()) == (8, 16 * GIB)


@pytest.mark.parametrize(("memory", "most"), [("max", 8), (GIB, 2), (1_000_000, 1)])
def test_as_many_processes_work_as_there_are_cores_and_memory_for(on, memory, most):
    on(VERSION_2, {"memory.max": memory})

    assert processes.most_processes() == most
