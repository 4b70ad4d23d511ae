"""What pyproject.toml cannot state: the verifier, which stands in ``chain/``, and ``static/``.

From a checkout it is asked for where it stands, so that ``pip install .`` needs no index. What is
released (``make wheels`` sets FAPIAO_RELEASE) asks for it by its version, as it must.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from setuptools import Distribution, setup

VERIFIER = "fapiao-verifier"
PAGES = "invoice_service.static"
FOLDER = Path(__file__).resolve().parent / "chain"


class WithVerifier(Distribution):
    """The service, which needs the verifier of its own version."""

    def parse_config_files(self, *arguments: object, **named: object) -> None:
        super().parse_config_files(*arguments, **named)
        requires: Iterable[str] = self.install_requires or []
        # Both: the second is what was read from the files, and what is written into the wheel.
        self.install_requires = [*requires, self._verifier()]
        self.metadata.install_requires = self.install_requires
        if "editable_wheel" in (self.script_args or ()):
            # A checkout has one folder `chain`: without its ground, that would be a namespace.
            self.packages = ["chain", *(self.packages or ())]
        else:
            # What pages load stands beside the package in a checkout, and inside it when installed.
            self.packages = [*(self.packages or ()), PAGES]
            self.package_dir = {**(self.package_dir or {}), PAGES: "static"}
            self.package_data = {**(self.package_data or {}), PAGES: ["**/*"]}

    def _verifier(self) -> str:
        released = os.environ.get("FAPIAO_RELEASE") or not (FOLDER / "pyproject.toml").exists()
        version = self.metadata.version
        return f"{VERIFIER}=={version}" if released else f"{VERIFIER} @ {FOLDER.as_uri()}"


setup(distclass=WithVerifier)
