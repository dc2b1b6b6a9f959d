"""What rq's commands would silently ignore, or what would break them, is refused: exit code 2 and a sentence."""

import pytest
from django.core.management import CommandError, call_command

OPTIONS_THAT_CANNOT_BE_USED = [
    (["rqworker", "email", "--with-scheduler"], "--with-scheduler cannot be used: run `manage.py rqscheduler` beside"),
    (["rqworker", "email", "--worker-class=rq.Worker"], "--worker-class cannot be used: the worker class is"),
    (["rqworker", "email", "--queue-class=rq.Queue"], "--queue-class cannot be used: the queue class is"),
    (["rqworker", "email", "--job-class=rq.job.Job"], "--job-class cannot be used: the job class is"),
    (
        ["rqworker", "email", "--serializer=rq.serializers.PickleSerializer"],
        "--serializer cannot be used: messages are",
    ),
    (["rqworker", "--serializer=rq.serializers.DefaultSerializer"], "--serializer cannot be used"),
    (["rqworker-pool", "--worker-class=rq.Worker"], "--worker-class cannot be used"),
    (["rqworker-pool", "--serializer=json"], "--serializer cannot be used"),
    (["rqworker-pool", "--queue-class=rq.Queue"], "--queue-class cannot be used"),
    (["rqworker-pool", "--job-class=rq.job.Job"], "--job-class cannot be used"),
]
UNKNOWN_QUEUES = [
    (["rqworker", "email", "ordr"], "no queue named 'ordr' is declared. Did you mean 'order'?"),
    (["rqworker", "default", "email"], "no queue named 'default' is declared."),
    (["rqworker", "../../email"], "no queue named '../../email' is declared."),
    (["rqworker-pool", "emial"], "no queue named 'emial' is declared. Did you mean 'email'?"),
    (["rqscheduler", "--queue", "emial"], "no queue named 'emial' is declared. Did you mean 'email'?"),
]
WRONG_VALUES = [
    (["rqworker", "--max-jobs", "0"], "--max-jobs: expected at least 1, got 0"),
    (["rqworker", "--max-jobs", "-1"], "--max-jobs: expected at least 1, got -1"),
    (["rqworker", "--max-jobs", "ten"], "--max-jobs: expected a number, got 'ten'"),
    (["rqworker", "--max-idle-time", "0"], "--max-idle-time: expected at least 1, got 0"),
    (["rqworker", "--worker-ttl", "5"], "--worker-ttl: expected at least 20, got 5"),
    (["rqworker", "--burts"], "unrecognized arguments: --burts"),
    (["rqworker-pool", "--num-workers", "0"], "--num-workers: expected at least 1, got 0"),
    (["rqscheduler", "--interval", "0"], "--interval/-i: expected at least 0.05, got 0"),
    (["rqscheduler", "--interval", "nan"], "--interval/-i: expected at least 0.05, got nan"),
    (["rqscheduler", "--interval", "inf"], "--interval/-i: expected at least 0.05, got inf"),
    (["work", "emails"], "invalid choice: 'emails'"),
]


def spoken(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else ""


@pytest.mark.parametrize(("words", "message"), [*OPTIONS_THAT_CANNOT_BE_USED, *UNKNOWN_QUEUES], ids=spoken)
def test_wrong_use_is_refused_with_exit_code_2(words: list[str], message: str):
    burst = ["--burst"] if words[0].startswith("rqworker") else []  # should it not be refused, it shall end

    with pytest.raises(CommandError) as refused:
        call_command(*words, *burst)

    assert message in str(refused.value)
    assert refused.value.returncode == 2


@pytest.mark.parametrize(("words", "message"), WRONG_VALUES, ids=spoken)
def test_wrong_value_is_a_usage_error(words: list[str], message: str):
    """On the command line argparse ends with 2 (test_modes.py shows it)."""
    with pytest.raises(CommandError) as refused:
        call_command(*words)

    assert message in str(refused.value)
