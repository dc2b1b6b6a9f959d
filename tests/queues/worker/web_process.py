"""The shop's web as it is deployed: gunicorn with deploy/gunicorn.conf.py."""

import sys
import urllib.error
import urllib.request

from bharatmart.devservers.server import free_port
from tests.processes import Processes

READY = "/api/health/ready"


class Web:
    """A gunicorn of one process."""

    def __init__(self, processes: Processes) -> None:
        self.port = port = free_port()
        self.url = f"http://127.0.0.1:{port}{READY}"
        words = ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "bharatmart.wsgi", "-b", f"127.0.0.1:{port}"]
        self.process = processes.run(sys.executable, *words, name="web", DJANGO_SETTINGS_MODULE="bharatmart.settings")

    def status(self) -> int:
        """The answer to "are you ready?"; 0 for none."""
        try:
            with urllib.request.urlopen(self.url, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0
