"""The cost guard: nothing is bought that nobody has agreed to."""

from __future__ import annotations

import sys
from dataclasses import replace

import click
import pytest

from ingestor.cli.cost import approve
from ingestor.errors import BudgetExceeded
from ingestor.job import JobPlan
from ingestor.vocabulary import Realm
from tests.plans import job_plan


def quoted(usd: float | None, realm: Realm | None = Realm.REAL) -> JobPlan:
    return replace(job_plan(1), quoted_usd=usd, realm=realm)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A person at a terminal; what they were asked."""
    asked: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    def confirm(text: str, **_: object) -> bool:
        asked.append(text)
        return "12.50" in text

    monkeypatch.setattr(click, "confirm", confirm)
    return asked


@pytest.mark.parametrize("cap", [12.5, 100.0])
def test_a_quote_within_the_cap_is_agreed_to_without_a_word(
    terminal: list[str], cap: float
) -> None:
    approve(quoted(12.5), cap_usd=cap, may_ask=True)
    assert terminal == []


@pytest.mark.parametrize("realm", list(Realm))
def test_a_quote_above_the_cap_is_refused_in_either_realm(
    terminal: list[str], realm: Realm
) -> None:
    """Exit 5, naming both figures; a rehearsal shows what the real thing would do."""
    with pytest.raises(BudgetExceeded, match=r"quoted 12\.50 USD; at most 12\.00") as told:
        approve(quoted(12.5, realm), cap_usd=12.0, may_ask=True)
    assert (told.value.exit_code, terminal) == (5, [])


def test_without_a_cap_a_person_is_asked(terminal: list[str]) -> None:
    """And the price is in the question."""
    approve(quoted(12.5), cap_usd=None, may_ask=True)
    assert ["12.50 USD" in text for text in terminal] == [True]


def test_a_person_who_says_no_is_obeyed(terminal: list[str]) -> None:
    with pytest.raises(BudgetExceeded):
        approve(quoted(13.0), cap_usd=None, may_ask=True)


def test_without_a_cap_and_a_terminal_nothing_is_bought() -> None:
    """Never unlimited by default."""
    with pytest.raises(BudgetExceeded, match="nothing says how much"):
        approve(quoted(0.01), cap_usd=None, may_ask=True)


def test_programs_are_not_asked(terminal: list[str]) -> None:
    """--json and --quiet: a question would stand in their way."""
    with pytest.raises(BudgetExceeded):
        approve(quoted(12.5), cap_usd=None, may_ask=False)
    assert terminal == []


def test_a_simulated_bill_needs_no_consent() -> None:
    approve(quoted(12.5, Realm.SIMULATED), cap_usd=None, may_ask=False)


def test_what_costs_nothing_needs_no_consent() -> None:
    """Files, days that are all held, and what a subscription covers."""
    approve(quoted(None, None), cap_usd=None, may_ask=False)
    approve(quoted(0.0), cap_usd=None, may_ask=False)
