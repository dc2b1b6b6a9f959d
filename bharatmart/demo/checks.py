"""What must have become of the orders, beside what really has: by the API, the mails, the gateway's book and Redis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .delayed import Held
from .mailbox import SUBJECTS, Mailbox, pdfs_of
from .plans import PLANS
from .story import AUTO_CANCEL, Story

PAPERS = {"payment_receipt": "the receipt", "credit_note": "credit note"}


@dataclass(frozen=True)
class Check:
    """One promise, in words; kept if both sides are the same."""

    about: str
    what: str
    expected: str
    found: str

    @property
    def kept(self) -> bool:
        return self.expected == self.found


@dataclass(frozen=True)
class Evidence:
    """Everything that was seen at the end. `free` is what is free now of each SKU.

    `book` is of all gateways; `webhooks` says how many each provider has sent, and how many were not taken.
    """

    stories: Sequence[Story]
    mailbox: Mailbox
    book: Sequence[dict[str, Any]]
    held: Sequence[Held]
    free: dict[str, int]
    webhooks: dict[str, dict[str, int]]
    customer: str


def check_all(evidence: Evidence) -> list[Check]:
    """Every promise of the demo."""
    checks = [check for story in evidence.stories for check in _of_order(story, evidence)]
    return [*checks, *_of_shop(evidence)]


def _of_order(story: Story, evidence: Evidence) -> Iterator[Check]:
    about, plan = f"order {story.order_id} ({story.plan.title})", story.plan
    seen = [state for state in story.states if state not in ("pending", "paid")]
    yield Check(about, "state", " > ".join(plan.states), " > ".join(seen))
    yield Check(about, "gateway's book", plan.in_book, _in_book(story, evidence.book))
    yield Check(about, "goods", *_goods(story, evidence.free))
    if "payment_failed" in plan.states:
        yield Check(about, "goods after the decline", "all back", _back_after_decline(story))
    yield Check(about, "mails", ", ".join(plan.mails), _mails(story, evidence.mailbox))
    for kind, paper in PAPERS.items():
        if kind in plan.mails:
            yield Check(about, f"PDFs attached to {paper}", "1", str(_pdfs(kind, story, evidence.mailbox)))
    if plan.deeds:
        yield Check(about, "done about it", " > ".join(plan.deeds), " > ".join(story.deeds))
    if plan.sent_back:
        yield Check(about, "credit notes", f"a PDF over {story.sent_back_paise} paise", _papers(story))
    yield Check(about, "auto-cancel", *_auto_cancel(story))


def _of_shop(evidence: Evidence) -> Iterator[Check]:
    jobs = [job for story in evidence.stories for job in story.jobs]
    entries = sum(int(words.split()[0]) for plan in PLANS for words in plan.in_book.split(", ") if words != "nothing")
    mails = 1 + sum(len(plan.mails) for plan in PLANS)
    to_customer = [mail for mail in evidence.mailbox.mails() if evidence.customer in str(mail["To"])]
    yield Check("shop", "welcome mails", "1", str(len(evidence.mailbox.find("welcome"))))
    yield Check("shop", "mails to the customer", str(mails), str(len(to_customer)))
    yield Check("shop", "entries in the gateways' books", str(entries), str(len(evidence.book)))
    for provider, counts in evidence.webhooks.items():
        taken = "all" if counts["sent"] and not counts["refused"] else f"{counts['refused']} of {counts['sent']} not"
        yield Check("shop", f"{provider}'s webhooks taken", "all", taken)
    yield Check("shop", "jobs that were given up", "none", _names([job.name for job in jobs if job.state == "failed"]))
    yield Check("shop", "left in rq-scheduler", "none", _names([message.name for message in evidence.held]))


def _in_book(story: Story, book: Sequence[dict[str, Any]]) -> str:
    """What the gateway wrote down under the order's token or number, for its amount or for what came back."""
    plan = story.plan
    if plan.gateway:
        charges = [x for x in book if (x.get("gateway"), x.get("order_id")) == (plan.gateway, story.order_id)]
    else:
        charges = [x for x in book if plan.token and x.get("token") == plan.token]
    words = [_entry(str(x["status"]), x["amount_paise"], story.order["total_paise"]) for x in charges]
    made = [x for x in book if x.get("charge") in {charge["reference"] for charge in charges}]
    words += [_entry("refunded", x["amount_paise"], story.sent_back_paise) for x in made]
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words)) or "nothing"


def _entry(status: str, amount_paise: int, expected_paise: int) -> str:
    return status if amount_paise == expected_paise else f"{status} {amount_paise} paise"


def _goods(story: Story, free: dict[str, int]) -> tuple[str, str]:
    """How many pieces should be and are gone from the shelf, by SKU."""
    back = story.sent_back if story.plan.keeps_goods else story.lines
    expected = {sku: quantity - back.get(sku, 0) for sku, quantity in story.lines.items()}
    found = {sku: story.free_before[sku] - free[sku] for sku in story.lines}
    return _gone(expected), _gone(found)


def _gone(pieces: dict[str, int]) -> str:
    return ", ".join(f"{quantity} {sku} gone" for sku, quantity in pieces.items() if quantity) or "all back"


def _back_after_decline(story: Story) -> str:
    return "all back" if story.free_when_failed == story.free_before else f"free: {story.free_when_failed}"


def _mails(story: Story, mailbox: Mailbox) -> str:
    counts = {kind: len(mailbox.find(kind, story.order_id)) for kind in SUBJECTS if kind != "welcome"}
    return _names([kind if n == 1 else f"{n} {kind}" for kind, n in counts.items() if n])


def _pdfs(kind: str, story: Story, mailbox: Mailbox) -> int:
    return sum(len(pdfs_of(mail)) for mail in mailbox.find(kind, story.order_id))


def _papers(story: Story) -> str:
    papers = [f"{'a PDF' if paper.is_pdf else 'no PDF'} over {paper.amount_paise} paise" for paper in story.papers]
    return _names(papers)


def _auto_cancel(story: Story) -> tuple[str, str]:
    """Withdrawn when the money came, which may be too soon to see it; else held by rq-scheduler to its time."""
    state = _names([job.state for job in story.jobs if job.name == AUTO_CANCEL])
    if story.plan.keeps_goods:
        return "cancelled", state
    seen = "held by rq-scheduler" if story.was_held else "never seen in rq-scheduler"
    return "held by rq-scheduler, then completed", f"{seen}, then {state}"


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def table_of(checks: Sequence[Check]) -> list[str]:
    """The checks as lines: what was expected, and what was found where it differs."""
    lines, about = [], ""
    for check in checks:
        if check.about != about:
            about = check.about
            lines += ["", f"  {about}"]
        lines.append(f"    {'ok ' if check.kept else 'NOT'}  {check.what:<30} {check.expected}")
        if not check.kept:
            lines.append(f"         {'':<30} found: {check.found}")
    return lines
