"""The ledger of stock can only be added to, by whomever; it begins with what lies on the shelves."""

from django.db import migrations

# What lay on the shelves before there was a ledger is its first entry.
OPEN = """
INSERT INTO orders_stockmovement (product_id, on_hand, reserved, reason)
SELECT product_id, on_hand, reserved, 'opening' FROM orders_stock WHERE (on_hand, reserved) <> (0, 0)
"""

REFUSE = """
CREATE FUNCTION orders_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;
END
$$;
CREATE TRIGGER orders_stockmovement_append_only BEFORE UPDATE OR DELETE ON orders_stockmovement
FOR EACH ROW EXECUTE FUNCTION orders_refuse_change();
"""

ALLOW = """
DROP TRIGGER orders_stockmovement_append_only ON orders_stockmovement;
DROP FUNCTION orders_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = (("orders", "0003_stock_ledger"),)
    operations = (migrations.RunSQL(REFUSE, ALLOW), migrations.RunSQL(OPEN, migrations.RunSQL.noop))
