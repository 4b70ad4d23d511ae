"""Is it so? Verdicts, proofs, and the audit of the whole instance."""
