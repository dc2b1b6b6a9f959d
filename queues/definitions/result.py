"""The handle on an enqueued job, and what of its result is kept."""

import json
from dataclasses import dataclass
from typing import Any, cast

from ..postgres.storable import is_json

LONGEST_RESULT = 8_000


@dataclass(frozen=True)
class JobResult:
    """A handle on an enqueued job; all else is read when asked for."""

    id: int

    @property
    def status(self) -> str:
        return str(self._row().state)

    @property
    def attempts(self) -> int:
        return int(self._row().attempt)

    @property
    def errors(self) -> list[str]:
        return list(self._row().attempts.exclude(error="").values_list("error", flat=True))

    @property
    def return_value(self) -> Any:
        """What the job's function returned, if it is done and returned JSON of a moderate size; else None."""
        return self._row().result

    @property
    def progress(self) -> int | None:
        """The percentage that the job reported last; None if it has reported none."""
        return cast("int | None", self._row().progress)

    def _row(self) -> Any:
        from ..models import Job

        return Job.objects.get(pk=self.id)


def why_not_kept(returned: object) -> str:
    """Why the ledger does not keep what a job returned; empty if it does: JSON of at most LONGEST_RESULT characters."""
    try:
        if not is_json(returned):
            return f"expected JSON, got {type(returned).__name__}"
        length = len(json.dumps(returned, ensure_ascii=False))
    except Exception as error:  # nested too deeply, or comparing it fails
        return f"expected JSON, got {type(returned).__name__} ({type(error).__name__})"
    return f"it has {length} characters, more than {LONGEST_RESULT}" if length > LONGEST_RESULT else ""
