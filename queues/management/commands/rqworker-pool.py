from queues.management.rq.commands import RqWorkerPoolCommand as Command

__all__ = ["Command"]
