from django.db import migrations

# UNLOGGED: no write-ahead log, empty after a crash of the server. Fine for counters, and fast.
# A row here is overwritten all the time: free space in its page keeps each update in place (HOT).
THROTTLE = """
    ALTER TABLE api_throttle SET UNLOGGED;
    ALTER TABLE api_throttle SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
"""
# What `createcachetable` would make for settings.CACHES, but UNLOGGED.
CACHE = """
    CREATE UNLOGGED TABLE api_cache (
        cache_key varchar(255) NOT NULL PRIMARY KEY,
        value text NOT NULL,
        expires timestamptz NOT NULL
    );
    CREATE INDEX api_cache_expires ON api_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = (("api", "0001_initial"),)

    operations = (
        migrations.RunSQL(THROTTLE, "ALTER TABLE api_throttle SET LOGGED"),
        migrations.RunSQL(CACHE, "DROP TABLE api_cache"),
    )
