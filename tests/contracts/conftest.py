from tests.payments.gateway_process import gateway, gateway_process
from tests.providers.running import providers, providers_server
from tests.queues.conftest import ledger_db, processes, redis, test_database

__all__ = [
    "gateway",
    "gateway_process",
    "ledger_db",
    "processes",
    "providers",
    "providers_server",
    "redis",
    "test_database",
]
