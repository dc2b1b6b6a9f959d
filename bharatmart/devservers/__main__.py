"""`python -m bharatmart.devservers [run COMMAND ... | stop | reset]`; without a word: start, and print the URLs."""

import os
import shutil
import sys
import time

from bharatmart.devservers import DevServerError, ensure
from bharatmart.devservers.keeper import running_servers
from bharatmart.devservers.place import Place
from bharatmart.devservers.processes import end


def main(words: list[str]) -> str | int:
    """What to exit with: 0, or a sentence."""
    if words[:1] == ["run"] and len(words) > 1:
        ensure()
        os.execvp(words[1], words[1:])
    if words == ["stop"] or words == ["reset"]:
        return stop(forget=words == ["reset"])
    if words:
        return str(__doc__)
    ensure()
    for variable in ("DATABASE_URL", "QUEUE_REDIS_URL"):
        print(f"{variable}={os.environ[variable]}")
    return 0


def stop(forget: bool) -> str | int:
    """Stop the servers unless a command uses them; `forget` deletes their data too."""
    place = Place.of()
    if not place.root.exists():
        return 0
    with place.turn():
        if _stays_used(place):
            return "The servers are in use by another command; end it first."
        for pid, (mark, gentle) in running_servers(place.root):
            end(pid, mark, gentle)
        if forget:
            shutil.rmtree(place.root)
    return 0


def _stays_used(place: Place) -> bool:
    """Ask more than once: the keeper's own look at the lock takes a moment."""
    for _ in range(5):
        if not place.is_used():
            return False
        time.sleep(0.05)
    return True


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except DevServerError as error:
        sys.exit(str(error))
