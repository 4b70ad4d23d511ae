"""The programs' front door: JSON over HTTP."""
