"""The shop under fire: `python -m tests.chaos`, or `make chaos [SEED=1] [ORDERS=500] [FAULTS=30]`.

Real processes on servers of their own take orders over HTTP while everything is killed, stopped, emptied and silenced
by a plan that the seed decides. Then all settles, and the promises are checked over the whole database, the gateway's
own book and the folder of mails.
"""
