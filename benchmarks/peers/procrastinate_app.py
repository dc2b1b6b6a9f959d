"""Procrastinate on PostgreSQL; its tasks run in threads."""

import os
import time

import procrastinate

from benchmarks.marks import mark

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ["PEER_DATABASE"]))


@app.task(name="noop")
def noop(n: int) -> None:
    mark(n)


@app.task(name="nap")
def nap(n: int) -> None:
    time.sleep(0.02)
    mark(n)


def main() -> None:
    from benchmarks.adding import run

    connector = procrastinate.SyncPsycopgConnector(conninfo=os.environ["PEER_DATABASE"])

    def add(kind: str, numbers: list[int]) -> None:
        task = tasks[kind]
        if len(numbers) == 1:
            task.defer(n=numbers[0])
        else:
            task.batch_defer(*({"n": number} for number in numbers))

    with app.replace_connector(connector) as sync, sync.open():
        tasks = sync.tasks
        run(add)


if __name__ == "__main__":
    main()
