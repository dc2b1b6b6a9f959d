"""Which manage.py commands get servers of our own: with DEBUG on, all but those that ask no server anything."""

import os
import sys

from environs import Env, EnvError

from bharatmart.devservers import DevServerError, ensure
from bharatmart.environment import read_dotenv
from queues.settings import mode_named

WITHOUT_SERVERS = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "spectacular",
    "startapp",
    "version",
}


def ensure_for(argv: list[str]) -> None:
    """Have the servers that this command line needs and the environment does not name; exits with a sentence if not."""
    if not needs_servers(argv[1:]):
        return
    read_dotenv()
    try:
        if Env().bool("DEBUG", False):
            mode = mode_named(os.environ.get("WORKER_MODE", ""))
            ensure(valkey=mode is not None and mode.needs_redis_url)
    except EnvError:
        pass  # the settings say what is wrong, together with all other mistakes
    except DevServerError as error:
        sys.exit(f"BharatMart cannot start: {error}")


def needs_servers(words: list[str]) -> bool:
    """Whether the command (without the program's name) talks to PostgreSQL or Redis."""
    if not words or {"--help", "-h", "--version"} & set(words) or words[:2] == ["queues", "flow"]:
        return False
    return words[0] not in WITHOUT_SERVERS or (words[0] == "check" and "--database" in words)
