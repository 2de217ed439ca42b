"""Reads labelled images from a folder, an S3 prefix, or a list of paths and labels."""
