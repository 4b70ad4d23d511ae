"""Mutation testing of ``chain/``: mutmut makes the mutants, one pytest session tries them all."""
