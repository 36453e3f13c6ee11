"""For Prometheus: a few gauges, read from the ledger at each scrape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ingestor.api.service import Shared
from ingestor.insights.figures import Figures, figures
from ingestor.vocabulary import ChunkState

router = APIRouter(tags=["metrics"])

_ROLES: Final = ("worker", "scheduler")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(service: Shared) -> Response:
    """Gauges in Prometheus' text format; 503 where the database is away."""
    found = await figures(await service.opened())
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(found))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Gauges(Collector):
    """The figures of one scrape."""

    def __init__(self, found: Figures) -> None:
        self._found = found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = self._found
        states = {str(state): found.chunks.get(state, 0) for state in ChunkState}
        roles = {role: found.online.get(role, 0) for role in _ROLES}
        yield _by("hdi_chunks", "Chunks of jobs that have not ended", "state", states)
        yield _by("hdi_processes_online", "Processes heard of lately", "role", roles)
        yield _by("hdi_dead_letters_open", "Open dead letters", "code", found.dead_letters)
        yield _by(
            "hdi_line_stopped", "1 while no chunk is claimed", "sqlstate", found.halts or {"": 0}
        )
        yield GaugeMetricFamily("hdi_jobs_open", "Jobs that have not ended", found.open_jobs)
        yield GaugeMetricFamily("hdi_jobs_paused", "Of them, paused ones", found.paused_jobs)
        yield GaugeMetricFamily("hdi_leases_over", "Leases not taken back yet", found.leases_over)


def _by(name: str, what: str, label: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family
