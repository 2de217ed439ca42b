"""Who is told when a run fails or takes too long, as the classifier's file says; the sending is the providers'."""
