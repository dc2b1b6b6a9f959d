"""Runs one claimed job in this thread."""

import logging
from typing import Any

from ..definitions import registry
from ..definitions.result import why_not_kept
from ..lifecycle.execution import Execution
from ..lifecycle.verdict import COMPLETED, Verdict
from .judge import judge
from .middleware import compose

log = logging.getLogger(__name__)


def run(execution: Execution) -> Verdict:
    """Call the job's function inside the middleware; the verdict says what becomes of the job."""
    try:
        returned = _call_in_middleware(execution)
    except BaseException as error:  # a job that calls sys.exit() must not end its thread
        return judge(execution, error)
    return COMPLETED if returned is None else COMPLETED._replace(result=_result(execution, returned))


def _call(execution: Execution) -> Any:
    return registry.get(execution.claim.name).function(**execution.claim.args)


_call_in_middleware = compose(_call)


def _result(execution: Execution, returned: object) -> Any:
    """What of it the ledger keeps; the job is completed in any case, and its log says what was not kept."""
    refused = why_not_kept(returned)
    if not refused:
        return returned
    log.warning("the result of %s #%d is not kept: %s", execution.claim.name, execution.claim.id, refused)
    execution.log.add(f"its result is not kept: {refused}")
    return None
