"""How long the fuzz tests run: some seconds and always alike, or open-ended (``make fuzz``)."""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))


def bounded(examples: int) -> settings:
    """``examples`` of a fixed draw, or ``$FUZZ_EXAMPLES`` of a new one."""
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
