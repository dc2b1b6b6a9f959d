from queues.management.rq.commands import RqSchedulerCommand as Command

__all__ = ["Command"]
