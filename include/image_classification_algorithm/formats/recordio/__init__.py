"""Reads RecordIO, Pipe mode and augmented manifests: the part of the algorithm's contract that the Dag does not use.

The Dag's training jobs read image files with ``.lst`` files in File mode; other clients may use these formats.
"""
