"""Help: reports of wrong slips by anybody, and how often scans did not fit what was issued."""
