"""Reads images and labels from a job's channels: RecordIO files, image files with lists, and named pipes."""
