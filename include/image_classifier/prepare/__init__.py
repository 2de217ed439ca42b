"""Prepares labelled images from a folder, a list or S3 as a data set version in S3, with image lists and a report."""
