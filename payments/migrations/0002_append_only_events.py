"""The history of payments can only be added to, by whomever."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION payments_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'payment events are append-only: % refused', TG_OP;
END
$$;
CREATE TRIGGER payments_paymentevent_append_only BEFORE UPDATE OR DELETE ON payments_paymentevent
FOR EACH ROW EXECUTE FUNCTION payments_refuse_change();
"""

ALLOW = """
DROP TRIGGER payments_paymentevent_append_only ON payments_paymentevent;
DROP FUNCTION payments_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = (("payments", "0001_initial"),)
    operations = (migrations.RunSQL(REFUSE, ALLOW),)
