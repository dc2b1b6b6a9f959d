"""The command: `python -m payments.simulator.providers --port P`; settings point STRIPE_API_BASE and RAZORPAY_API_BASE
to `/stripe` and `/razorpay` of the address that it prints."""

import argparse
import signal
import sys
import threading

from .server import Providers


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m payments.simulator.providers")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one and prints it")
    parser.add_argument("--stripe-secret", default="whsec_fake", help="signs Stripe's webhooks (%(default)s)")
    parser.add_argument("--razorpay-secret", default="razor_fake", help="signs Razorpay's (%(default)s)")
    parser.add_argument("--webhooks", default="", help="the shop's /api/webhooks: where both deliver")
    options = parser.parse_args(arguments)
    providers = Providers(options.port, options.stripe_secret, options.razorpay_secret)
    if options.webhooks:
        providers.stripe.outbox.address = f"{options.webhooks}/stripe"
        providers.razorpay.outbox.address = f"{options.webhooks}/razorpay"
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    providers.start()
    print(f"listening on {providers.address}", flush=True)
    over.wait()
    providers.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
