from queues.management.rq.commands import RqWorkerCommand as Command

__all__ = ["Command"]
