"""WORKER_MODE: where jobs run."""

from .queue import suggest

MODES = ("rq", "in-process", "none")
NOT_YET_BUILT = ("sqs", "oci-queue")


def worker_mode(asked: str, redis_url: str) -> str:
    """The mode that WORKER_MODE means; ValueError with a sentence for a wrong one."""
    mode = {"": "rq" if redis_url else "in-process", "bull-queue": "rq"}.get(asked, asked)
    if mode in NOT_YET_BUILT:
        raise ValueError(f"{asked} is not built yet; expected one of {', '.join(MODES)}.")
    if mode not in MODES:
        raise ValueError(f"{asked!r} is unknown; expected one of {', '.join(MODES)}. {suggest(asked, MODES)}")
    return mode
