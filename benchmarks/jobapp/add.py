"""`python -m benchmarks.jobapp.add load|time|drip ...`: BharatMart's side of benchmarks/adding.py."""

import os
from datetime import UTC, datetime


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.jobapp.settings")
    import django

    django.setup()
    from django.db import transaction

    from benchmarks.adding import run
    from queues import JobDefinition, ledger

    from . import jobs

    first, _, step = os.environ.get("BENCH_DUE", "").partition(",")

    def add(kind: str, numbers: list[int]) -> None:
        """One by one with `.enqueue()`, many in one statement; always in one transaction."""
        job = getattr(jobs, kind).using(queue_name=os.environ.get("BENCH_QUEUE", "bench"))
        with transaction.atomic():
            if len(numbers) == 1:
                job.enqueue(n=numbers[0])
            else:
                ledger.enqueue([due(job, number).request({"n": number}) for number in numbers])

    def due(job: JobDefinition, number: int) -> JobDefinition:
        """BENCH_DUE: when the first is due, and the seconds to each next one."""
        if not first:
            return job
        return job.using(run_after=datetime.fromtimestamp(float(first) + number * float(step), UTC))

    run(add)


if __name__ == "__main__":
    main()
