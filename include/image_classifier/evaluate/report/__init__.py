"""Makes the report of a model on a test set: report.json for programs, report.html for people."""
