"""The rules that the ledger keeps at every moment, each as the question for what breaks it."""

from django.db import connection

RULES = {
    "a job waits if and only if it has an outbox row that is not withdrawn": """
        SELECT coalesce(j.id, o.job_id) FROM queues_job j
        FULL JOIN (SELECT job_id FROM queues_outbox WHERE NOT withdrawn) o ON o.job_id = j.id
        WHERE coalesce(j.state = 'waiting', false) <> (o.job_id IS NOT NULL)""",
    "a withdrawn row belongs to a job that is there": """
        SELECT job_id FROM queues_outbox WHERE job_id NOT IN (SELECT id FROM queues_job)""",
    "at most one live job lives under a key": """
        SELECT min(id) FROM queues_job WHERE key IS NOT NULL AND state IN ('waiting', 'active')
        GROUP BY key HAVING count(*) > 1""",
    "active jobs have a token, others neither token nor worker": """
        SELECT id FROM queues_job WHERE (state = 'active') <> (token IS NOT NULL)
        OR (state <> 'active' AND worker_id IS NOT NULL)""",
    "attempts spent are the attempts that count": """
        SELECT id FROM queues_job WHERE attempt - (state = 'active')::int <> (
            SELECT count(*) FROM queues_attempt a WHERE a.job_id = queues_job.id AND (
                outcome IN ('completed', 'retry', 'timed out', 'cancelled', 'failed')
                OR (outcome = 'crashed' AND a.error LIKE '%times alone')))""",
    "no more attempts are spent than granted": "SELECT id FROM queues_job WHERE attempt > max_attempts",
    "crashes alone are crashes, and each has its attempt": """
        SELECT id FROM queues_job WHERE lone_crashes > crashes OR crashes > (
            SELECT count(*) FROM queues_attempt a WHERE a.job_id = queues_job.id AND outcome = 'crashed')""",
    "final states have their time, others have none": """
        SELECT id FROM queues_job
        WHERE (state IN ('completed', 'failed', 'cancelled')) <> (finished_at IS NOT NULL)""",
    "the counters are what counting gives": """
        SELECT coalesce(counted.jobs, 0)
        FROM (SELECT queue, state, count(*) AS jobs FROM queues_job GROUP BY 1, 2) counted
        FULL JOIN (SELECT queue, state, sum(jobs) AS jobs FROM queues_tally GROUP BY 1, 2) counters USING (queue, state)
        WHERE coalesce(counted.jobs, 0) <> coalesce(counters.jobs, 0)""",
}


def broken_rules() -> dict[str, list[int]]:
    """The rules that do not hold now, with the jobs that break them."""
    broken = {}
    with connection.cursor() as cursor:
        for rule, question in RULES.items():
            cursor.execute(question)
            broken[rule] = [found for (found,) in cursor.fetchall()]
    return {rule: found for rule, found in broken.items() if found}
