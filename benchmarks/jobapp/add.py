"""`python -m benchmarks.jobapp.add load|time|drip ...`: BharatMart's side of benchmarks/adding.py."""

import os


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.jobapp.settings")
    import django

    django.setup()
    from django.db import transaction

    from benchmarks.adding import run
    from queues import ledger

    from . import jobs

    def add(kind: str, numbers: list[int]) -> None:
        """One by one with `.enqueue()`, many in one statement; always in one transaction."""
        job = getattr(jobs, kind).using(queue_name=os.environ.get("BENCH_QUEUE", "bench"))
        with transaction.atomic():
            if len(numbers) == 1:
                job.enqueue(n=numbers[0])
            else:
                ledger.enqueue([job.request({"n": number}) for number in numbers])

    run(add)


if __name__ == "__main__":
    main()
