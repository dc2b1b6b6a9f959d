"""The dispatcher's one statement: lease what fits into each queue's window. `outbox.lease_windows` calls it."""

from django.db import migrations

LEASE_WINDOWS = """
CREATE FUNCTION queues_lease_windows(wanted text[], most int, most_later int, batch int, delay float)
RETURNS TABLE (job_id bigint, number int, queue varchar, due_at timestamptz, name varchar, priority smallint,
               later boolean, highest int) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    this varchar;
BEGIN
    -- A lease that a crash of PostgreSQL undoes is leased again under the same number; the claim, which is durable,
    -- comes after it in the log.
    PERFORM set_config('synchronous_commit', 'off', true);
    FOR this IN
        SELECT w FROM unnest(wanted) AS w
        WHERE w NOT IN (SELECT s.name FROM queues_queuestate s WHERE s.paused_at IS NOT NULL) AND (
            EXISTS (SELECT FROM queues_outbox o WHERE o.queue = w AND o.offered_at IS NULL AND NOT o.withdrawn
                    AND o.due_at <= clock_timestamp())
            OR EXISTS (SELECT FROM queues_outbox o WHERE o.queue = w AND o.offered_at IS NULL AND NOT o.withdrawn
                       AND o.due_at > clock_timestamp() + delay * interval '1 s' AND o.priority <= 0))
    LOOP
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(20251, hashtext(this));
        -- A statement of its own: it sees what others did before this one had the lock.
        RETURN QUERY
        WITH published AS MATERIALIZED (
            SELECT count(*) FILTER (WHERE due_at <= now()) AS due, count(*) FILTER (WHERE due_at > now()) AS later,
                   coalesce(min(priority) FILTER (WHERE due_at <= now()), 32767) AS lowest,
                   coalesce(max(priority) FILTER (WHERE due_at <= now()), 32767) AS highest
            FROM queues_outbox WHERE queue = this AND offered_at IS NOT NULL
        ), due AS MATERIALIZED (
            SELECT job_id, false AS later FROM queues_outbox
            WHERE queue = this AND offered_at IS NULL AND NOT withdrawn AND due_at <= clock_timestamp()
                  AND (priority <= (SELECT lowest FROM published) OR priority > (SELECT highest FROM published))
            ORDER BY priority DESC, due_at, job_id
            LIMIT (SELECT greatest(0, least(batch, most - due)) FROM published) FOR UPDATE SKIP LOCKED
        ), later AS MATERIALIZED (
            SELECT job_id, true AS later FROM queues_outbox
            WHERE queue = this AND offered_at IS NULL AND NOT withdrawn
                  AND due_at > clock_timestamp() + delay * interval '1 s' AND priority <= 0
            ORDER BY due_at, job_id
            LIMIT (SELECT greatest(0, least(batch, most_later - later)) FROM published) FOR UPDATE SKIP LOCKED
        ), locked AS (SELECT * FROM due UNION ALL SELECT * FROM later)
        UPDATE queues_outbox o SET "offer" = o."offer" + 1, offered_at = clock_timestamp()
        FROM locked, queues_job j
        WHERE o.job_id = ANY(ARRAY[locked.job_id]) AND j.id = ANY(ARRAY[locked.job_id])
        RETURNING o.job_id, o."offer", o.queue, o.due_at, j.name, o.priority, locked.later,
                  (SELECT highest FROM published)::int;
    END LOOP;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("queues", "0002_tallies")]

    operations = [migrations.RunSQL(LEASE_WINDOWS, "DROP FUNCTION queues_lease_windows(text[], int, int, int, float)")]
