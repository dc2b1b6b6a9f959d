"""What stands in a tax invoice; plain values, so that the rendering needs no database."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, reduce
from operator import add

from django.conf import settings
from django.utils import timezone

from ..models import Invoice, Order
from ..money import Gst, split_gst
from ..places import STATE_CODES, WITHOUT_LEGISLATURE


@dataclass(frozen=True)
class Party:
    """Seller or buyer; `address` is a list of printed lines."""

    name: str
    address: tuple[str, ...]
    state: str
    gstin: str = ""
    phone: str = ""

    @property
    def state_with_code(self) -> str:
        return f"{self.state} ({STATE_CODES.get(self.state, '?')})"


@dataclass(frozen=True)
class InvoiceLine:
    """One line, its price with GST included and the GST taken out of it, in paise."""

    name: str
    hsn: str
    quantity: int
    unit_price_paise: int
    gst_rate: int
    gst: Gst


@dataclass(frozen=True)
class InvoiceData:
    """All that is printed. The columns of `lines` add up to `total` to the paisa."""

    number: str
    issued_at: datetime
    order_id: int
    ordered_on: date
    paid_on: date | None
    seller: Party
    buyer: Party
    lines: tuple[InvoiceLine, ...]

    @classmethod
    def of(cls, invoice: Invoice, order: Order) -> "InvoiceData":
        """Gather it from an order whose lines are prefetched."""
        within_state = order.shipping_state == settings.SHOP_STATE
        return cls(
            number=invoice.number,
            issued_at=timezone.localtime(invoice.issued_at),
            order_id=order.pk,
            ordered_on=timezone.localdate(order.placed_at),
            paid_on=timezone.localdate(order.paid_at) if order.paid_at else None,
            seller=Party(settings.SHOP_NAME, (settings.SHOP_ADDRESS,), settings.SHOP_STATE, settings.SHOP_GSTIN),
            buyer=_buyer(order),
            lines=tuple(
                InvoiceLine(
                    name=line.name,
                    hsn=line.hsn,
                    quantity=line.quantity,
                    unit_price_paise=line.unit_price_paise,
                    gst_rate=line.gst_rate,
                    gst=split_gst(line.total_paise, line.gst_rate, within_state=within_state),
                )
                for line in order.lines.all()
            ),
        )

    @property
    def within_state(self) -> bool:
        """CGST and SGST when the goods stay in the seller's state, IGST when they leave it."""
        return self.seller.state == self.buyer.state

    @cached_property
    def total(self) -> Gst:
        return reduce(add, (line.gst for line in self.lines), Gst())

    def by_hsn(self) -> dict[tuple[str, int], Gst]:
        """The tax summary that the law asks for: what was sold under each HSN code at each rate, ascending."""
        sums: dict[tuple[str, int], Gst] = {}
        for line in self.lines:
            kind = (line.hsn, line.gst_rate)
            sums[kind] = sums.get(kind, Gst()) + line.gst
        return dict(sorted(sums.items()))

    @property
    def tax_names(self) -> tuple[str, ...]:
        """CGST and SGST (UTGST in a territory without a legislature) within the state, else IGST."""
        if not self.within_state:
            return ("IGST",)
        return ("CGST", "UTGST" if self.seller.state in WITHOUT_LEGISLATURE else "SGST")


def _buyer(order: Order) -> Party:
    address = (order.shipping_line, f"{order.shipping_city} {order.shipping_pincode}")
    return Party(order.shipping_name, address, order.shipping_state, phone=order.phone)
