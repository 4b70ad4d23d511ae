"""A replay's other processes end with the one that started them, however it ends."""

import multiprocessing
import os
import threading


def end_with_starter() -> None:
    """Watch over whoever started this process: when it is gone, end at once."""
    threading.Thread(target=_watch, name="starter", daemon=True).start()


def _watch() -> None:
    starter = multiprocessing.parent_process()
    if starter is not None:
        starter.join()
        os._exit(1)  # nothing is half done that matters: the replay is made anew
