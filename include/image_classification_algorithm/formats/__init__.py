"""From a job's channels to its images and labels: RecordIO files, image files with lists, and named pipes."""
