"""Makes the report of a data set version: report.json for programs, report.html for people."""
