"""The chart: every way once, lengths in proportion, readable on light and dark pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import chart
import pytest
from hypothesis import given
from hypothesis import strategies as st

SVG = "{http://www.w3.org/2000/svg}"
LIGHT, DARK = "#ffffff", "#131416"

names = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=30)
ways = st.dictionaries(names, st.floats(1, 1e7), min_size=1, max_size=8)


def report(rates: dict[str, float]) -> dict[str, Any]:
    """Results of a run as `scripts/bench` writes them, as far as the chart reads them."""
    figures = {
        f"{name}, rows/s": {"unit": "rows/s", "goal": None, "median": rate, "each": [rate]}
        for name, rate in rates.items()
    }
    ratios = {
        f"{name} ÷ hdi": {"unit": "×", "goal": None, "median": rates["hdi"] / rate, "each": []}
        for name, rate in rates.items()
        if "hdi" in rates and name != "hdi"
    }
    return {
        "started_at": "2026-11-23T10:00:00+00:00",
        "pairs": 3,
        "machine": {"cores": 2, "memory_gb": 25.3},
        "server": {"server_version": "17.6 (Debian)", "timescaledb": "2.19.3", "fsync": "on"},
        "measures": {"peers": {"what": "200,000 trades", "figures": figures | ratios}},
    }


def drawn(rates: dict[str, float]) -> ET.Element:
    return ET.fromstring(chart.svg(report(rates)))


def texts(root: ET.Element) -> list[str]:
    return [each.text or "" for each in root.iter(f"{SVG}text")]


def widths(root: ET.Element) -> list[float]:
    return [float(each.get("width", "")) for each in root.iter(f"{SVG}rect")]


@given(ways)
def test_every_way_has_a_bar_in_proportion(rates: dict[str, float]) -> None:
    """Whatever it is called: the file stays XML. A bar too short to be seen is one pixel."""
    root = drawn(rates)

    most = max(rates.values())
    expected = [max(1.0, rate / most * 300) for rate in sorted(rates.values(), reverse=True)]
    assert widths(root) == pytest.approx(expected, abs=0.06)
    assert set(rates) <= set(texts(root))


def test_a_ratio_is_no_bar() -> None:
    """Only rows a second are drawn."""
    assert len(widths(drawn({"hdi": 10.0, "psql": 11.0}))) == 2


def test_labels_say_what_a_way_takes_of_our_time() -> None:
    """By the median of the pairs' ratios, which is none of the rates' medians."""
    said = texts(drawn({"hdi": 400_000.0, "to_sql": 5_000.0, "psql": 420_000.0, "a": 390_000.0}))

    assert "400,000" in said
    assert "5,000 · 80.0 × the time of hdi" in said
    assert "390,000 · 1.03 × the time of hdi" in said
    assert "420,000 · 1.05 × as fast as hdi" in said


def test_our_bar_has_a_colour_of_its_own() -> None:
    """The others share one."""
    root = drawn({"hdi": 3.0, "a": 2.0, "b": 1.0})
    ours, *others = [each.get("fill") for each in root.iter(f"{SVG}rect")]

    assert len(set(others)) == 1
    assert ours not in others


def test_the_picture_names_machine_and_server() -> None:
    """A chart travels without its page."""
    footer = texts(drawn({"hdi": 1.0}))[-1]

    assert footer == (
        "2026-11-23 · 2 cores, 25.3 GB · PostgreSQL 17.6 · TimescaleDB 2.19.3 · fsync on"
    )


def test_a_reader_who_sees_no_picture_is_told_the_figures() -> None:
    root = drawn({"hdi": 1_000.0})

    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}desc") == "hdi: 1,000 rows a second"


@pytest.mark.parametrize("page", [LIGHT, DARK])
def test_every_colour_stands_out_from_the_page(page: str) -> None:
    """At least 3 : 1, which WCAG asks of graphics and of large text; no style sheet decides."""
    colours = set(re.findall(r'fill="(#\w{6})"', chart.svg(report({"hdi": 2.0, "a": 1.0}))))

    assert len(colours) == 3
    for colour in colours:
        assert contrast(colour, page) >= 3


def test_results_without_the_ways_are_refused(tmp_path: Path) -> None:
    """Nothing is written then: the docs keep the chart that they have."""
    target = tmp_path / "chart.svg"

    with pytest.raises(ValueError, match="peers"):
        chart.draw({"measures": {"load": {}}}, target)
    assert not target.exists()


def test_it_is_drawn_into_a_folder_that_is_made(tmp_path: Path) -> None:
    target = chart.draw(report({"hdi": 1.0}), tmp_path / "new" / "chart.svg")

    assert target.read_text(encoding="utf-8") == chart.svg(report({"hdi": 1.0}))


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    ]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
