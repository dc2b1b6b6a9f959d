"""What the demo shows of its orders, and what it finds wrong."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from bharatmart.demo.checks import PAPERS, Check, Evidence, check_all, table_of
from bharatmart.demo.delayed import Held
from bharatmart.demo.mailbox import SUBJECTS, Mailbox
from bharatmart.demo.plans import PLANS, Plan
from bharatmart.demo.story import AUTO_CANCEL, RELEASE, Paper, Story, note_held
from bharatmart.demo.timeline import Timeline

NOON = datetime(2099, 11, 21, 12, tzinfo=UTC)
PAID, DECLINED, TIMED_OUT, NEVER_PAID, STRIPE, RAZORPAY, DEAR, SENT_BACK = PLANS
CUSTOMER = "asha@bharatmart.example"


def job(name: str, state: str, run_at: datetime = NOON) -> dict[str, Any]:
    finished = None if state == "waiting" else run_at.isoformat()
    return {"name": name, "state": state, "attempt": 1, "run_at": run_at.isoformat(), "finished_at": finished}


def order(number: int, state: str, *jobs: dict[str, Any]) -> dict[str, Any]:
    lines = [{"sku": "CHAI", "unit_price_paise": 34_900}, {"sku": "ATTA", "unit_price_paise": 30_400}]
    price = {"total": "₹957.00", "total_paise": 95_700, "lines": lines}
    return {"id": number, "state": state, "jobs": list(jobs), **price}


def story(plan: Plan, *states: str, number: int = 1, jobs: tuple[dict[str, Any], ...] = ()) -> Story:
    told = Story(plan, {"CHAI": 1, "ATTA": 2}, {"CHAI": 5, "ATTA": 9}, order(number, "pending"))
    for state in states:
        told.note(order(number, state, *jobs))
    return told


def mail(folder: Path, kind: str, order_id: int, to: str = CUSTOMER) -> None:
    message = EmailMessage()
    message["Subject"] = SUBJECTS[kind].format(order_id=order_id)
    message["To"] = to
    if kind in PAPERS:
        message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf")
    Mailbox(folder).keep(message.as_bytes())


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    """Everything as it should be."""
    stories = []
    for number, plan in enumerate(PLANS, start=1):
        ends = job(AUTO_CANCEL, "cancelled" if plan.keeps_goods else "completed")
        stories.append(story(plan, "pending", *plan.states, number=number, jobs=(ends,)))
        stories[-1].was_held = True
        stories[-1].deeds = list(plan.deeds)
        for kind in plan.mails:
            mail(tmp_path, kind, number)
    stories[1].free_when_failed = {"CHAI": 5, "ATTA": 9}
    stories[7].papers = [Paper(30_400, is_pdf=True)]
    mail(tmp_path, "welcome", 0)
    book = [entry(plan, number) for number, plan in enumerate(PLANS, start=1) if plan.in_book != "nothing"]
    book.append({"effect": "refund", "status": "succeeded", "charge": "charge 8", "amount_paise": 30_400})
    webhooks = {"stripe": {"sent": 1, "refused": 0}, "razorpay": {"sent": 3, "refused": 0}}
    return Evidence(stories, Mailbox(tmp_path), book, [], {"CHAI": 4, "ATTA": 7}, webhooks, CUSTOMER)


def entry(plan: Plan, number: int) -> dict[str, Any]:
    whose = {"gateway": plan.gateway, "order_id": number} if plan.gateway else {"token": plan.token}
    status = plan.in_book.replace(",", "").split()[1]
    return {**whose, "reference": f"charge {number}", "status": status, "amount_paise": 95_700}


def broken(evidence: Evidence) -> list[tuple[str, str, str]]:
    found = check_all(evidence)
    return [(check.about.partition(" (")[0], check.what, check.found) for check in found if not check.kept]


def test_goods_that_stay_away_are_found(evidence: Evidence) -> None:
    """The one shelf of this test cannot be right for all orders: it is right for those that were paid."""
    gone = "1 CHAI gone, 2 ATTA gone"
    assert broken(evidence) == [(f"order {number}", "goods", gone) for number in (2, 4, 8)]


def test_second_charge_in_the_gateways_book_is_found(evidence: Evidence) -> None:
    evidence.book.append(evidence.book[2])  # type: ignore[attr-defined]

    assert ("order 3", "gateway's book", "2 captured") in broken(evidence)
    assert ("shop", "entries in the gateways' books", "9") in broken(evidence)


@pytest.mark.parametrize("number", [5, 6], ids=["stripe", "razorpay"])
def test_charge_that_a_provider_does_not_know_is_found(evidence: Evidence, number: int) -> None:
    kept = [entry for entry in evidence.book if entry.get("order_id") != number]

    assert (f"order {number}", "gateway's book", "nothing") in broken(replace(evidence, book=kept))


def test_refund_of_another_amount_is_found(evidence: Evidence) -> None:
    evidence.book[-1]["amount_paise"] = 60_800

    assert ("order 8", "gateway's book", "1 captured, 1 refunded 60800 paise") in broken(evidence)


def test_money_taken_before_the_approval_is_found(evidence: Evidence) -> None:
    evidence.stories[6].deeds[0] = "captured, 95700 taken"

    found = "captured, 95700 taken > in the queue of reviews > approved by staff"
    assert ("order 7", "done about it", found) in broken(evidence)


@pytest.mark.parametrize(
    ("papers", "found"),
    [
        ([], "none"),
        ([Paper(30_400, is_pdf=False)], "no PDF over 30400 paise"),
        ([Paper(60_800, is_pdf=True)], "a PDF over 60800 paise"),
        ([Paper(30_400, is_pdf=True)] * 2, "a PDF over 30400 paise, a PDF over 30400 paise"),
    ],
)
def test_credit_note_that_is_missing_or_wrong_is_found(evidence: Evidence, papers: list[Paper], found: str) -> None:
    evidence.stories[7].papers = papers

    assert ("order 8", "credit notes", found) in broken(evidence)


def test_webhooks_that_nobody_took_are_found(evidence: Evidence) -> None:
    evidence.webhooks["stripe"]["refused"] = 1
    evidence.webhooks["razorpay"]["sent"] = 0

    assert ("shop", "stripe's webhooks taken", "1 of 1 not") in broken(evidence)
    assert ("shop", "razorpay's webhooks taken", "0 of 0 not") in broken(evidence)


def test_report_to_staff_at_nine_is_not_counted(evidence: Evidence, tmp_path: Path) -> None:
    before = broken(evidence)

    mail(tmp_path, "welcome", 0, to="admin@bharatmart.example")

    assert [check for check in broken(evidence) if check[1] == "mails to the customer"] == []
    assert len(broken(evidence)) == len(before) + 1  # the second welcome


def test_second_mail_is_found(evidence: Evidence, tmp_path: Path) -> None:
    mail(tmp_path, "order_confirmation", 4)
    mail(tmp_path, "welcome", 0)

    assert ("order 4", "mails", "2 order_confirmation, order_cancelled") in broken(evidence)
    assert ("shop", "welcome mails", "2") in broken(evidence)


def test_auto_cancel_that_rq_scheduler_never_held_is_found(evidence: Evidence) -> None:
    evidence.stories[3].was_held = False

    assert ("order 4", "auto-cancel", "never seen in rq-scheduler, then completed") in broken(evidence)


def test_table_tells_what_was_found_where_it_differs() -> None:
    table = table_of([Check("shop", "welcome mails", "1", "1"), Check("shop", "mails in all", "10", "11")])

    assert [" ".join(line.split()) for line in table] == [
        "",
        "shop",
        "ok welcome mails 1",
        "NOT mails in all 10",
        "found: 11",
    ]


def test_delayed_message_goes_to_the_order_whose_time_it_has() -> None:
    first = story(PAID, "pending", number=1, jobs=(job(AUTO_CANCEL, "waiting", NOON),))
    second = story(PAID, "pending", number=2, jobs=(job(AUTO_CANCEL, "waiting", NOON + timedelta(seconds=0.2)),))

    note_held([first, second], [Held(AUTO_CANCEL, NOON.timestamp() + 0.21), Held("orders.other", NOON.timestamp())])

    assert (first.was_held, second.was_held) == (False, True)
    assert first.jobs[0].held_until is None


def test_shelf_is_looked_at_when_the_payment_failed_and_its_stock_was_released() -> None:
    assert not story(DECLINED, "payment_failed", jobs=(job(RELEASE, "waiting"),)).has_just_failed()
    assert story(DECLINED, "payment_failed", jobs=(job(RELEASE, "completed"),)).has_just_failed()


def test_without_a_terminal_each_change_is_one_line_and_nothing_is_told_twice() -> None:
    told = story(NEVER_PAID, "pending", jobs=(job(AUTO_CANCEL, "waiting"),))
    note_held([told], [Held(AUTO_CANCEL, NOON.timestamp())])
    told.tell("forgotten")
    told.tell("forgotten")
    out = io.StringIO()
    timeline = Timeline(out)

    timeline.show([told])
    timeline.show([told], ["worker-order was killed by SIGKILL"])
    told.note(order(1, "cancelled", job(AUTO_CANCEL, "completed")))
    timeline.show([told])

    clock = f"{NOON.astimezone():%H:%M:%S}"
    assert [" ".join(line.split(" s ", 1)[1].split()) for line in out.getvalue().splitlines()] == [
        "order 1 (never paid) is pending",
        "order 1 (never paid) - forgotten",
        f"order 1 (never paid) payments.auto_cancel held by rq-scheduler until {clock} attempt 1",
        "worker-order was killed by SIGKILL",
        "order 1 (never paid) is cancelled",
        f"order 1 (never paid) payments.auto_cancel completed at {clock} attempt 1",
    ]
