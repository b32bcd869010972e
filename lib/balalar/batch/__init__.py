"""The batch: which briefs are wanted, which of them must be made anew, and how they are made, many at a time."""
