"""rq's command line around our worker: rqworker, rqworker-pool and rqscheduler."""
