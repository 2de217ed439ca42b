"""What `preflight` asks an account before a run costs anything; every call reads, and nothing is changed."""
