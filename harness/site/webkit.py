"""WebKit, the engine of Safari, as WebKitGTK has it: Debian's `webkit2gtk-driver` on a screen that
nobody sees (Xvfb).
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import WebKitGTK
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

# The narrowest window that it takes is wider than a telephone.
_SCREEN = "1280x1024x24"
_BROWSERS = "usr/lib*/**/webkit2gtk-4.*/MiniBrowser"


@contextmanager
def running_webkit() -> Iterator[WebKitGTK]:
    """Start a browser with an empty profile, which takes the certificate of an unknown issuer, and
    end it.

    Raises:
        AssertionError: it is not installed.
    """
    driver = shutil.which("WebKitWebDriver")
    browsers = sorted(Path("/").glob(_BROWSERS))
    assert None not in (driver, shutil.which("Xvfb")), "no WebKit: run `make webkit`"
    assert browsers, "WebKit's driver has no browser: run `make webkit`"
    options = Options()
    options.binary_location = str(browsers[-1])
    options.add_argument("--automation")
    options.accept_insecure_certs = True
    with _screen() as display:
        webkit = WebKitGTK(options=options, service=Service(driver, env={**os.environ, "DISPLAY": display}))
        try:
            yield webkit
        finally:
            webkit.quit()


@contextmanager
def _screen() -> Iterator[str]:
    """Start a screen and yield its name, which is the first that is free."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", _SCREEN, "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield f":{server.stdout.readline().strip()}"
        finally:
            server.terminate()
