"""Stripe and Razorpay as far as the shop speaks to them, for tests and demo: one HTTP server that their SDKs call.

`python -m payments.simulator.providers --port P`; standard library alone. It has an idempotency store, the providers'
state machines, signed webhooks, and faults before and after the effect.
"""
