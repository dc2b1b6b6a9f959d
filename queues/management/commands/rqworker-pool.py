from queues.brokers.rq.commands import RqWorkerPoolCommand as Command

__all__ = ["Command"]
