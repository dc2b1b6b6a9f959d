from queues.brokers.rq.commands import RqSchedulerCommand as Command

__all__ = ["Command"]
