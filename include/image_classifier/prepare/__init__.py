"""Labelled images, from a folder or an S3 prefix, to a data set in S3 that the algorithm trains on."""
