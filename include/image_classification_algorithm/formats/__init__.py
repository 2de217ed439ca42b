"""Reads images and labels from a job's channels: image files with lists, RecordIO files, and named pipes."""
