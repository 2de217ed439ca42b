"""The report of one model on one test set: figures in report.json, the same for people in report.html."""
