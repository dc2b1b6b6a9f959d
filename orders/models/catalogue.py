"""What the shop sells."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from ..money import format_rupees

GST_RATES = (0, 3, 5, 12, 18, 28, 40)


class Product(models.Model):
    """A thing for sale. Its price includes GST."""

    sku = models.CharField("SKU", max_length=40, unique=True)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True)
    description = models.TextField(blank=True, default="")
    category = models.CharField(max_length=60)
    unit = models.CharField(max_length=40, help_text="what one piece is, such as '5 kg bag'")
    price_paise = models.BigIntegerField(help_text="in paise, GST included")
    gst_rate = models.PositiveSmallIntegerField("GST rate", choices=[(rate, f"{rate} %") for rate in GST_RATES])
    hsn = models.CharField("HSN", max_length=8, validators=[RegexValidator(r"\A([0-9]{4}|[0-9]{6}|[0-9]{8})\Z")])
    low_stock_at = models.PositiveIntegerField(
        "low stock at", default=5, help_text="staff is told when no more than this many can be ordered"
    )
    is_active = models.BooleanField("for sale", default=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="product_price_positive", condition=Q(price_paise__gt=0)),
            models.CheckConstraint(name="product_gst_rate_known", condition=Q(gst_rate__in=GST_RATES)),
        )
        indexes = (
            models.Index(fields=("category", "price_paise"), name="product_on_sale", condition=Q(is_active=True)),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.sku})"

    @property
    def price(self) -> str:
        return format_rupees(self.price_paise)

    @property
    def free(self) -> int:
        """How many pieces may still be ordered; read it from `select_related("stock")`."""
        shelf = getattr(self, "stock", None)
        return shelf.free if shelf else 0
