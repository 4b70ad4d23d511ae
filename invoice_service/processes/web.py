"""What each of the web server's processes loads: the application, tied to the server's own life."""

import multiprocessing
import os

from flask import Flask

from invoice_service.app import create_app
from invoice_service.processes.tether import die_with_parent


def load() -> Flask:
    """The application; when the server is killed outright, this process goes too."""
    parent = multiprocessing.parent_process()
    die_with_parent(os.getppid() if parent is None or parent.pid is None else parent.pid)
    return create_app()
