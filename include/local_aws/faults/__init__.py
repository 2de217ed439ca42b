"""What is to go wrong, by plan: the local AWS hurts as AWS does, so that what runs on it can be seen to survive."""
