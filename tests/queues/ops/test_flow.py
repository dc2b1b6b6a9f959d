"""The generated page of events and jobs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_page_in_docs_is_fresh():
    # when the page is made from the declarations of the shop, without the tests' own app
    made = subprocess.run(
        [sys.executable, "manage.py", "queues", "flow"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "bharatmart.settings"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    # then it is the one in docs
    assert (ROOT / "docs" / "flow.md").read_text() == made.stdout, "run: python manage.py queues flow > docs/flow.md"
