"""Lists the instance types of training jobs: GPU types for the built-in algorithm, all kinds for `algorithm: own`."""

# The built-in algorithm trains on the GPU families P2, P3, G4dn and G5 only; an instance's GPUs share each batch.
SIZES_BY_GPUS = {
    "g4dn": {1: "xlarge 2xlarge 4xlarge 8xlarge 16xlarge", 4: "12xlarge"},
    "g5": {1: "xlarge 2xlarge 4xlarge 8xlarge 16xlarge", 4: "12xlarge 24xlarge", 8: "48xlarge"},
    "p3": {1: "2xlarge", 4: "8xlarge", 8: "16xlarge"},
    "p3dn": {8: "24xlarge"},
    "p2": {1: "xlarge", 8: "8xlarge", 16: "16xlarge"},
}
GPUS = {
    f"ml.{family}.{size}": gpus
    for family, by_gpus in SIZES_BY_GPUS.items()
    for gpus, sizes in by_gpus.items()
    for size in sizes.split()
}
# The open program uses one device, so other GPUs would only cost. Its PyTorch does not support P2 and P3.
OWN_SIZES = {
    "m5": "large xlarge 2xlarge 4xlarge 12xlarge",
    "c5": "xlarge 2xlarge 4xlarge 9xlarge",
    "m6i": "large xlarge 2xlarge 4xlarge 8xlarge",
    "c6i": "xlarge 2xlarge 4xlarge 8xlarge",
    "m7i": "large xlarge 2xlarge 4xlarge 8xlarge",
    "c7i": "large xlarge 2xlarge 4xlarge 8xlarge",
    "g4dn": "xlarge 2xlarge 4xlarge 8xlarge 16xlarge",
    "g5": "xlarge 2xlarge 4xlarge 8xlarge 16xlarge",
    "g6": "xlarge 2xlarge 4xlarge 8xlarge 16xlarge",
}
TRAINS_ON = {  # a classifier's `algorithm` -> the instance types of its training jobs
    "builtin": tuple(sorted(GPUS)),
    "own": tuple(f"ml.{family}.{size}" for family, sizes in OWN_SIZES.items() for size in sizes.split()),
}
# Their storage is encrypted by the hardware; SageMaker refuses a KMS key for it.
LOCAL_STORAGE = tuple(f"ml.{family}." for family in ("g4dn", "g5", "g6", "g6e", "g7e", "p3dn", "p5", "r5d"))
