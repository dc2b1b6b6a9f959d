"""`POST /api/orders` over HTTP, against gunicorn, while the workers are idle and while they are not."""

from typing import TYPE_CHECKING

from ..belief import NotBelieved
from ..shop import OpenShop, Sales, open_shop
from ..statistics import quantile
from ..systems.base import System
from ..systems.ours import BharatMart
from .base import Reading, Row

if TYPE_CHECKING:
    from ..bench import Bench

SHOPPERS = 8
PAUSE = 0.5  # seconds between orders, so that each finds the workers idle
WARM_UP = 40  # orders that are not counted


class PostOrder(Row):
    """Three times the same sale: workers suspended, workers with a backlog, and workers with a flood of no-op jobs."""

    backlog = 2.0  # orders that wait before the second sale, in sales

    def measure(self, system: System, bench: "Bench") -> list[Reading]:
        assert isinstance(system, BharatMart)
        orders = 2000 if bench.options.full else 300
        system.empty()
        with open_shop(bench, worker=False) as shop:
            shop.manage("rqsuspend")
            shop.start_worker()
            shop.sign_up(SHOPPERS)
            skus = shop.skus()
            shop.sell(WARM_UP, skus)
            idle = shop.sell(orders, skus)
            shop.sell(int(self.backlog * orders), skus)
            shop.manage("rqresume")
            saturated = self._sell_beside_backlog(shop, orders, skus)
            flooded = self._sell_in_flood(shop, system, orders, skus)
        over = quantile(saturated.waits, 0.99) / quantile(idle.waits, 0.99)
        return [
            *self._told(system, idle, "_idle"),
            *self._told(system, saturated, "_saturated"),
            *self._told(system, flooded, "_flooded"),
            self.read(system, over, "times", "_saturated_over_idle_p99"),
        ]

    def _sell_beside_backlog(self, shop: OpenShop, orders: int, skus: list[str]) -> Sales:
        shop.crew.wait(lambda: _active(shop) > SHOPPERS, 30, "busy workers", lambda: f"{_active(shop)} jobs run")
        sales = shop.sell(orders, skus)
        if not shop.waiting():
            self.backlog *= 2
            raise NotBelieved("the backlog was gone before the last order; the next one is twice as long")
        return sales

    def _sell_in_flood(self, shop: OpenShop, system: BharatMart, orders: int, skus: list[str]) -> Sales:
        """One more worker runs no-op jobs as fast as it can, niced as the other."""
        system.add("load", "noop", 40 * orders)
        system.nice = True
        system.start(1)
        try:
            system.await_marks(1)
            return shop.sell(orders, skus)
        finally:
            system.stop()

    def _told(self, system: System, sales: Sales, suffix: str) -> list[Reading]:
        return [
            self.read(system, quantile(sales.waits, 0.5), "ms", f"{suffix}_p50"),
            self.read(system, quantile(sales.waits, 0.99), "ms", f"{suffix}_p99"),
            self.read(system, sales.rate, "orders/s", f"{suffix}_rate"),
        ]


def _active(shop: OpenShop) -> int:
    return int(shop.bench.run_sql("SELECT count(*) FROM queues_job WHERE state = 'active'")[0][0])


class FlashSale(Row):
    """Everybody wants the one product of which there are few: exactly its stock is sold."""

    sku = "BASMATI-5KG"

    def measure(self, system: System, bench: "Bench") -> list[Reading]:
        stock = 1000 if bench.options.full else 300
        system.empty()
        bench.run_sql(
            "UPDATE orders_stock SET on_hand = %s FROM orders_product p WHERE p.id = product_id AND p.sku = %s",
            [stock, self.sku],
        )
        with open_shop(bench, worker=False) as shop:
            shop.sign_up(SHOPPERS)
            shop.sell(WARM_UP, [sku for sku in shop.skus() if sku != self.sku])
            sales = shop.sell(2 * stock, [self.sku])
        if len(sales.orders) != stock or sales.sold_out != SHOPPERS:
            raise NotBelieved(f"{len(sales.orders)} of {stock} pieces were sold, {sales.sold_out} were told it is over")
        return [
            self.read(system, sales.rate, "orders/s", "_rate"),
            self.read(system, quantile(sales.waits, 0.5), "ms", "_p50"),
            self.read(system, quantile(sales.waits, 0.99), "ms", "_p99"),
        ]


class OrderToMail(Row):
    """From the request to the mail server's 250 for the confirmation; one order at a time, idle workers."""

    def measure(self, system: System, bench: "Bench") -> list[Reading]:
        orders = 200 if bench.options.full else 40
        system.empty()
        with open_shop(bench) as shop:
            shop.sign_up(1)
            skus = shop.skus()
            shop.sell(4, skus)
            placed = {order: asked for order, asked, _ in shop.sell(orders, skus, PAUSE).orders}
            bench.crew.wait(lambda: placed.keys() <= shop.mails().keys(), 120, "the mails")
            arrived = shop.mails()
        waits = [(arrived[order] - asked) * 1000 for order, asked in placed.items()]
        return [self.read(system, quantile(waits, share), "ms", f"_p{share * 100:.0f}") for share in (0.5, 0.99)]
