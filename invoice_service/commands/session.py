"""What every command starts from: the settings, and the instance they describe."""

import os
from functools import cached_property
from pathlib import Path

from invoice_service.config import Config, load
from invoice_service.keys.secrets import PASSPHRASE
from invoice_service.wiring import Instance, open_instance


class Session:
    """One run of the command line; reads the settings when they are first asked for."""

    def __init__(self, config_file: Path | None = None) -> None:
        if config_file is None and Path("config.toml").is_file():
            config_file = Path("config.toml")
        self.config_file = config_file

    @cached_property
    def config(self) -> Config:
        """The settings; MalformedError ``config_invalid``."""
        return load(self.config_file, os.environ)

    def instance(self, *, doubted: bool = False) -> Instance:
        """The instance on this machine; errors as ``open_instance``."""
        return open_instance(self.config, doubted=doubted)

    def environ(self) -> dict[str, str]:
        """The environment for processes of ours, so that they read the same settings."""
        # A relative folder counts from the settings' place, not from where a process runs.
        environ = {**os.environ, "FAPIAO_SERVICE_DATA_DIR": str(self.config.data_dir)}
        if self.config_file is not None:
            environ["FAPIAO_CONFIG"] = str(self.config_file.resolve())
        if (file := environ.get(f"{PASSPHRASE}_FILE")) is not None:
            environ[f"{PASSPHRASE}_FILE"] = str(Path(file).resolve())
        return environ
