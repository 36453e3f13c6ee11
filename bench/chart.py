"""A chart of the ways into the table: rows a second, from the results of a run, as SVG.

Bars begin at zero and have one scale, so their lengths are the ratios. The greys stand out from a
light page and from a dark one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

MEASURE = "peers"
OURS = "hdi"
_UNIT = "rows/s"

_WIDTH = 760
_LABELS = 262
_BARS = 300
_STEP = 34
_BAR = 18
_TOP = 58
_BOTTOM = 30
_TEXT = "#7a7a7a"
_BAR_COLOUR = "#8c8c8c"
_OUR_COLOUR = "#2f80c8"


@dataclass(frozen=True, slots=True)
class Bar:
    """One way in: what it is called, rows a second, its time ÷ ours (median of the pairs)."""

    name: str
    rate: float
    ratio: float | None


def bars_of(report: Mapping[str, Any]) -> list[Bar]:
    """The ways that were measured, fastest first.

    Raises:
        ValueError: The run did not measure them.
    """
    measure = report.get("measures", {}).get(MEASURE)
    if measure is None:
        raise ValueError(f"the results hold no measure {MEASURE!r}, which the chart shows")
    figures = measure["figures"]
    ratios = {name.removesuffix(f" ÷ {OURS}"): figure["median"] for name, figure in figures.items()}
    rates = {
        name.removesuffix(f", {_UNIT}"): float(figure["median"])
        for name, figure in figures.items()
        if figure["unit"] == _UNIT
    }
    bars = [Bar(name, rate, ratios.get(name)) for name, rate in rates.items()]
    return sorted(bars, key=lambda bar: -bar.rate)


def draw(report: Mapping[str, Any], target: Path) -> Path:
    """Writes the chart of a run's results.

    Raises:
        ValueError: The run did not measure what it shows.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(svg(report), encoding="utf-8")
    return target


def svg(report: Mapping[str, Any]) -> str:
    bars = bars_of(report)
    height = _TOP + len(bars) * _STEP + _BOTTOM
    told = "; ".join(f"{bar.name}: {bar.rate:,.0f} rows a second" for bar in bars)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" aria-labelledby="title told" '
        'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">'
    )
    lines = [
        head,
        '<title id="title">Rows a second into the table, by the way in</title>',
        f'<desc id="told">{escape(told)}</desc>',
        _text(0, 18, "Rows a second into the same table", size=16, weight=600),
        _text(0, 38, _subtitle(report), size=12),
        *_rows(bars),
        _text(0, height - 8, _footer(report), size=11),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _rows(bars: list[Bar]) -> Iterator[str]:
    most = max(bar.rate for bar in bars)
    for at, bar in enumerate(bars):
        top = _TOP + at * _STEP
        width = max(1.0, bar.rate / most * _BARS)
        own = bar.name == OURS
        middle = top + _BAR - 5
        yield _text(
            _LABELS - 12, middle, bar.name, size=13, weight=600 if own else 400, anchor="end"
        )
        yield (
            f'<rect x="{_LABELS}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="2" '
            f'fill="{_OUR_COLOUR if own else _BAR_COLOUR}"/>'
        )
        yield _text(_LABELS + width + 8, middle, _label(bar), size=12)


def _label(bar: Bar) -> str:
    rate = f"{bar.rate:,.0f}"
    if bar.ratio is None:
        return rate
    if bar.ratio <= 1:
        return f"{rate} · {1 / bar.ratio:.2f} × as fast as {OURS}"
    return f"{rate} · {bar.ratio:.{1 if bar.ratio >= 2 else 2}f} × the time of {OURS}"


def _subtitle(report: Mapping[str, Any]) -> str:
    return f"{report['measures'][MEASURE]['what']}; median of {report.get('pairs', '?')}"


def _footer(report: Mapping[str, Any]) -> str:
    machine, server = report.get("machine", {}), report.get("server", {})
    parts = [
        str(report.get("started_at", ""))[:10],
        f"{machine.get('cores', '?')} cores, {machine.get('memory_gb', '?')} GB",
        f"PostgreSQL {str(server.get('server_version', '?')).split(' ', maxsplit=1)[0]}",
    ]
    if server.get("timescaledb"):
        parts.append(f"TimescaleDB {server['timescaledb']}")
    parts.append(f"fsync {server.get('fsync', '?')}")
    return " · ".join(parts)


def _text(
    x: float, y: float, text: str, *, size: int, weight: int = 400, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{_TEXT}">{escape(text)}</text>'
    )
