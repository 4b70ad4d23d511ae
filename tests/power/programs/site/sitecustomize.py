"""Loaded by every Python process whose PYTHONPATH names this folder: makes it careless.

A whole process tree is so made to forget what the environment variable FORGET names.
"""

import os

from tests.power.programs.careless import forget

forget(os.environ.get("FORGET", ""))
