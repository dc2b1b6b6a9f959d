"""A worker is killed while it writes what follows a job's end: the job has ended with it, or neither has."""

import pytest

from queues.models import Job
from tests.crash.points import FOLLOW_UPS, Point
from tests.crash.world import World
from tests.jobapp.jobs import fail, last_resort

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("point", FOLLOW_UPS, ids=lambda point: point.name)
def test_job_that_is_given_up_is_followed_once_when_its_process_dies(fresh_world: World, point: Point):
    # given a job that fails for good, and has an on_failed job
    fresh_world.point = point
    fresh_world.arm()
    job_id = fail.enqueue(label="a", how="permanent").id

    # when its process is killed beside the statement that writes the on_failed job
    fresh_world.wait_for_crash()

    # then nothing of the first verdict was left, and the second is followed once
    job = Job.objects.get(pk=job_id)
    assert [attempt.outcome for attempt in job.attempts.all()] == ["crashed", "failed"]
    assert job.state == "failed"
    assert Job.objects.get(name=last_resort.name).state == "completed"
