"""Sending generated requests to the service in this process, and counting what it answers."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, seed, settings

from harness.elections import with_second_person
from harness.fuzz.requests import GeneratedCase, cases
from harness.fuzz.stages import Stages, contents
from harness.fuzz.verdict import raise_if_wrong
from harness.service.openapi import operations
from harness.service.world import ROUTES, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.service.world import Response

OPERATIONS = tuple(operation["operationId"] for operation in operations().values())


def fuzz(operation_id: str, examples: int, start: int) -> Counter[str]:
    """Send `examples` requests that are generated from the seed `start`; return the answers by
    status and code.

    Raises:
        AssertionError: an answer, or what it left, is not what is promised; Hypothesis has looked
            for the least request that shows it.
    """
    answers: Counter[str] = Counter()
    with _unlogged(), World(election=with_second_person(), seed=start) as world:
        stages = Stages(world)
        services = {resource: service for service, routes in ROUTES.items() for _, resource in routes}

        def send(case: GeneratedCase) -> None:
            before = stages.enter(case.stage)
            stages.spoil()
            response = world.answer(services.get(case.event["resource"], "reissue"), case.event)
            after = contents()
            raise_if_wrong(case, response, before, after)
            if after == before:
                stages.keep(case.stage)
            answers[name_of(response)] += 1

        turn = 0
        while (missing := examples - answers.total()) > 0:
            # Hypothesis passes over what it has drawn before, and stops early when that is much.
            seed(start + turn)(
                settings(
                    max_examples=missing,
                    deadline=None,
                    database=None,
                    print_blob=False,
                    report_multiple_bugs=False,
                    phases=(Phase.generate, Phase.shrink),
                    suppress_health_check=list(HealthCheck),
                )(given(cases(operation_id, stages.all))(send))
            )()
            turn += 1_000_003
    return answers


def name_of(response: Response) -> str:
    """Return for example `422 invalid-fields`."""
    return f"{response.status} {response.code}" if response.code else str(response.status)


@contextmanager
def _unlogged() -> Iterator[None]:
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
