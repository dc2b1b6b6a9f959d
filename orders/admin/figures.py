"""What was counted, day by day, to look at."""

from django.contrib import admin

from queues.ops.admin.lists import ReadOnlyAdmin

from ..models import DailyFigures, DailyReport, DailySales
from ..money import format_rupees


@admin.register(DailyFigures)
class DailyFiguresAdmin(ReadOnlyAdmin):
    list_display = ("day", "orders", "revenue", "cancelled", "refunds", "refunded")
    fields = list_display
    readonly_fields = fields

    @admin.display(description="revenue", ordering="revenue_paise")
    def revenue(self, figures: DailyFigures) -> str:
        return format_rupees(figures.revenue_paise)

    @admin.display(description="refunded", ordering="refunded_paise")
    def refunded(self, figures: DailyFigures) -> str:
        return format_rupees(figures.refunded_paise)


@admin.register(DailySales)
class DailySalesAdmin(ReadOnlyAdmin):
    list_display = ("day", "product", "category", "units", "revenue")
    list_select_related = ("product",)
    list_filter = ("day",)
    fields = list_display
    readonly_fields = fields

    @admin.display(description="revenue", ordering="revenue_paise")
    def revenue(self, sales: DailySales) -> str:
        return format_rupees(sales.revenue_paise)


@admin.register(DailyReport)
class DailyReportAdmin(ReadOnlyAdmin):
    list_display = ("day", "made_at")
