"""Admission: merchants apply, are examined and admitted; more quota on request."""
