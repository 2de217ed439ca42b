"""Eight clients for a minute, one image in ten bad: no good one fails, and the endpoint's memory stays flat.

Its throughput is at least 0.9 of ONNX Runtime's own (the same graph, one image a call, as many threads as cores,
nothing decoded); the two take turns of ten seconds.

    PYTHONPATH=include:. .venv/local-aws/bin/python tests/benchmarks/serve_under_load.py [JPEG [SECONDS]]
"""

import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from endpoint import SIDE_PX, bare, over_http, served_resnet, session_of
from measured import load
from serve_one_image import photograph

from image_classification_algorithm.networks.onnx_names import INPUT, OUTPUT

NUM_LAYERS, CLIENTS, TURN_S, ONE_BAD_IN = 18, 8, 10.0, 10


def for_a_turn(threads: int, work: Callable[[int], Callable[[int], int]]) -> Counter[int]:
    """Let so many threads repeat their work for one turn; how often they got each status."""
    end = time.monotonic() + TURN_S

    def repeat(thread: int) -> Counter[int]:
        found, once, number = Counter[int](), work(thread), 0
        while time.monotonic() < end:
            found[once(number)] += 1
            number += 1
        return found

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(repeat, range(threads)), Counter())


def client(port: int, good: bytes) -> Callable[[int], int]:
    """Posts good images, and now and then one that is cut off; a bad one that is refused counts as 400."""
    answer, bad = over_http(port), good[: len(good) // 3]

    def once(number: int) -> int:
        is_bad = number % ONE_BAD_IN == ONE_BAD_IN - 1
        status, _ = answer(bad if is_bad else good)
        if is_bad != (status == 400):
            print(f"a {'bad' if is_bad else 'good'} image got {status}")
        return status

    return once


if __name__ == "__main__":
    image = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else photograph()
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    cores, session = len(os.sched_getaffinity(0)), session_of(NUM_LAYERS)
    pixels = np.zeros((1, SIDE_PX, SIDE_PX, 3), np.uint8)

    def run(_: int) -> int:
        session.run([OUTPUT], {INPUT: pixels})
        return 200

    def decode_and_run(_: int) -> int:
        bare(session)(image)
        return 200

    statuses, speeds = Counter[int](), []
    with served_resnet(NUM_LAYERS) as endpoint:
        for_a_turn(CLIENTS, lambda _: client(endpoint.port, image))  # warm
        before = endpoint.resident_mb()
        while len(speeds) * TURN_S < seconds:
            found = for_a_turn(CLIENTS, lambda _: client(endpoint.port, image))
            statuses += found
            turns = (for_a_turn(cores, lambda _: run), for_a_turn(cores, lambda _: decode_and_run))
            speeds.append([found[200] / TURN_S, *(turn[200] / TURN_S for turn in turns)])
        after = endpoint.resident_mb()
    mine, alone, decoding = (statistics.median(column) for column in zip(*speeds, strict=True))
    print(f"ResNet-{NUM_LAYERS}, {CLIENTS} clients, {len(speeds)} turns of {TURN_S:.0f} s, {load()}")
    print(f"answers by status: {dict(statuses)}")
    print(f"memory of the endpoint: {before:.0f} MB before, {after:.0f} MB after")
    print(f"good images/s: endpoint {mine:.1f}, ONNX Runtime {alone:.1f} ({decoding:.1f} with decoding)")
    ratios = [statistics.median(row[0] / row[side] for row in speeds) for side in (1, 2)]
    print("ratio {:.2f} to ONNX Runtime, {:.2f} to ONNX Runtime with decoding".format(*ratios))
