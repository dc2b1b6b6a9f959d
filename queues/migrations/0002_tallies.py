"""The trigger that keeps the tallies, and how PostgreSQL stores and cleans the engine's busy tables."""

from django.db import migrations

TALLY = """
CREATE FUNCTION queues_tally_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO queues_tally (queue, state, jobs)
        SELECT queue, state, count(*) FROM written GROUP BY queue, state;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO queues_tally (queue, state, jobs)
        SELECT queue, state, -count(*) FROM gone GROUP BY queue, state;
    ELSE
        INSERT INTO queues_tally (queue, state, jobs)
        SELECT queue, state, sum(jobs) FROM (
            SELECT queue, state, 1 AS jobs FROM written UNION ALL SELECT queue, state, -1 FROM gone
        ) AS changed GROUP BY queue, state HAVING sum(jobs) <> 0;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tally_inserted AFTER INSERT ON queues_job
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION queues_tally_jobs();
CREATE TRIGGER tally_updated AFTER UPDATE ON queues_job
REFERENCING OLD TABLE AS gone NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION queues_tally_jobs();
CREATE TRIGGER tally_deleted AFTER DELETE ON queues_job
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION queues_tally_jobs();
"""

NO_TALLY = """
DROP TRIGGER tally_inserted ON queues_job;
DROP TRIGGER tally_updated ON queues_job;
DROP TRIGGER tally_deleted ON queues_job;
DROP FUNCTION queues_tally_jobs();
"""

STORAGE = """
ALTER TABLE queues_job SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
ALTER TABLE queues_outbox SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE queues_attempt SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE queues_tally SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0);
ALTER TABLE queues_worker SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
ALTER TABLE queues_queuestate SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500);
ALTER TABLE queues_chore SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
"""


class Migration(migrations.Migration):
    dependencies = [("queues", "0001_initial")]

    operations = [
        migrations.RunSQL(TALLY, NO_TALLY),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
    ]
