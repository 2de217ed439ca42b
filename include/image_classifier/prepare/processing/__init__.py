"""Prepares the shards of a listing on the instances of a SageMaker Processing job."""
