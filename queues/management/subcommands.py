"""The subcommands of `manage.py queues`: each declares its arguments, and returns the text to print."""

from argparse import ArgumentParser, _SubParsersAction
from typing import Any

from django.core.management.base import CommandError

from queues.ledger import workers
from queues.ops import actions, schedules
from queues.ops.flow import flow_page
from queues.ops.text_tables import schedules_page, status_page
from queues.states import FINAL

from . import arguments, new_job
from .all_or_nothing import write_files


def add_subcommands(subparsers: "_SubParsersAction[Any]") -> None:
    subparsers.add_parser("status", help="counts of every queue, and living workers").set_defaults(run=_status)
    _add_ready(subparsers.add_parser("ready", help="exit code 0 if a worker of this host takes jobs, else 1"))
    subparsers.add_parser("flow", help="the whole tree of events and jobs, from the code").set_defaults(run=_flow)
    for verb, run, help_text in (
        ("pause", _pause, "let nothing of a queue start; what runs goes on"),
        ("resume", _resume, "let a paused queue run again"),
    ):
        parser = subparsers.add_parser(verb, help=help_text)
        parser.add_argument("queue", type=arguments.queue)
        parser.set_defaults(run=run)
    subparsers.add_parser("schedules", help="recurring jobs: when they ticked and will").set_defaults(run=_schedules)
    _add_schedule(subparsers.add_parser("schedule", help="run a recurring job now, switch it on or off"))
    _add_new_job(subparsers.add_parser("new-job", help="write a job, its service, test and line in docs/flow.md"))
    _add_retry(subparsers.add_parser("retry", help="let failed or cancelled jobs run again"))
    _add_cancel(subparsers.add_parser("cancel", help="cancel waiting and delayed jobs, and ask running ones to stop"))
    _add_clean(subparsers.add_parser("clean", help="delete finished jobs of a queue"))


def _add_ready(parser: ArgumentParser) -> None:
    parser.add_argument("--name", default="", help="the worker of this name, instead of any")
    parser.set_defaults(run=_ready)


def _add_schedule(parser: ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True, metavar="act")
    for act, run, help_text in (
        ("run", _run_schedule, "enqueue it now, besides its ticks; also if it is switched off"),
        ("on", _switch, "let it tick again, from its next time on"),
        ("off", _switch, "let it tick no more until it is switched on"),
    ):
        one = acts.add_parser(act, help=help_text)
        one.add_argument("schedule", type=arguments.schedule, metavar="JOB")
        one.set_defaults(run=run)


def _add_new_job(parser: ArgumentParser) -> None:
    parser.add_argument("app", type=arguments.own_app, metavar="APP", help="the app that declares it")
    parser.add_argument("name", type=arguments.new_name, metavar="NAME", help="its function, such as remind_customer")
    parser.add_argument("--queue", type=arguments.queue, help="left out: the one queue of the app's jobs")
    parser.add_argument("--event", type=arguments.event_name, help="the event it reacts to")
    parser.set_defaults(run=_new_job)


def _add_retry(parser: ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", type=arguments.job_id, nargs="+", metavar="N", help="failed or cancelled jobs")
    which.add_argument("--queue", type=arguments.queue, help="all failed jobs of this queue")
    parser.add_argument("--name", type=arguments.job_name, metavar="JOB", help="of these only jobs of this name")
    parser.add_argument(
        "--error", type=arguments.words, metavar="TEXT", help="of these only those with TEXT in the error"
    )
    parser.set_defaults(run=_retry)


def _add_cancel(parser: ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", type=arguments.job_id, nargs="+", metavar="N", help="numbers of waiting or running jobs")
    which.add_argument("--key", type=arguments.words, help="the job that waits or runs under this key")
    parser.set_defaults(run=_cancel)


def _add_clean(parser: ArgumentParser) -> None:
    parser.add_argument("--queue", type=arguments.queue, required=True)
    parser.add_argument("--state", choices=[str(state) for state in FINAL], required=True)
    parser.add_argument("--older", type=arguments.duration, required=True, metavar="TIME", help="such as 7d, 12h, 30m")
    parser.set_defaults(run=_clean)


def _status(options: dict[str, Any]) -> str:
    return status_page()


def _ready(options: dict[str, Any]) -> str:
    if not workers.is_ready(options["name"]):
        raise CommandError("no worker of this host takes jobs: it has not started, is draining, or has no fresh beat")
    return "ready\n"


def _flow(options: dict[str, Any]) -> str:
    return flow_page()


def _pause(options: dict[str, Any]) -> str:
    changed = actions.pause_queue(options["queue"], actor=arguments.actor())
    return f"queue {options['queue']} is paused\n" if changed else f"queue {options['queue']} was paused already\n"


def _resume(options: dict[str, Any]) -> str:
    changed = actions.resume_queue(options["queue"], actor=arguments.actor())
    return f"queue {options['queue']} runs again\n" if changed else f"queue {options['queue']} was not paused\n"


def _schedules(options: dict[str, Any]) -> str:
    return schedules_page()


def _run_schedule(options: dict[str, Any]) -> str:
    job_id, is_new = schedules.run_schedule_now(options["schedule"], actor=arguments.actor())
    return f"{options['schedule']}: job #{job_id} {'is enqueued' if is_new else 'has not ended; none was enqueued'}\n"


def _switch(options: dict[str, Any]) -> str:
    name, on = options["schedule"], options["act"] == "on"
    changed = schedules.switch_schedule(name, on, actor=arguments.actor())
    return f"{name} {'is' if changed else 'was'} switched {options['act']}{'' if changed else ' already'}\n"


def _new_job(options: dict[str, Any]) -> str:
    app, name = options["app"], options["name"]
    try:
        queue = options["queue"] or new_job.only_queue_of(app)
        files = new_job.NewJob(app, name, queue, options["event"] or "").files()
        write_files(files)
    except new_job.Refused as error:
        raise CommandError(f"{error}.", returncode=2) from None
    except OSError as error:
        raise CommandError(f"nothing was written: {error}") from None
    paths = "".join(f"  {path.relative_to(new_job.ROOT)}\n" for path in files)
    return f"{app.label}.{name} is written:\n{paths}Now write its service and say in the test what it does.\n"


def _retry(options: dict[str, Any]) -> str:
    ids, name, error = options["id"], options["name"] or "", options["error"] or ""
    if ids and (name or error):
        raise CommandError(
            "--name and --error choose among the jobs of --queue, not among those of --id.", returncode=2
        )
    if ids:
        done = actions.retry_jobs(ids, actor=arguments.actor())
        return f"{len(done)} jobs will run again\n" + _left(ids, done, "failed or cancelled, or their key is taken")
    done = actions.retry_matching(queue=options["queue"], name=name, containing=error, actor=arguments.actor())
    return f"{len(done)} jobs will run again\n"


def _cancel(options: dict[str, Any]) -> str:
    if options["key"]:
        return f"{actions.cancel_under(options['key'], actor=arguments.actor())}\n"
    done = actions.cancel_jobs(options["id"], actor=arguments.actor())
    return f"{done}\n" + _left(options["id"], [*done.waiting, *done.running], "waiting or running")


def _clean(options: dict[str, Any]) -> str:
    deleted = actions.clean(options["queue"], options["state"], options["older"], actor=arguments.actor())
    return f"{deleted} {options['state']} jobs of queue {options['queue']} deleted\n"


def _left(asked: list[int], done: list[int], needed: str) -> str:
    left = [f"#{job_id}" for job_id in dict.fromkeys(asked) if job_id not in done]
    return f"left as they are, because they are not {needed}: {', '.join(left)}\n" if left else ""
