from queues.brokers.rq.commands import RqWorkerCommand as Command

__all__ = ["Command"]
