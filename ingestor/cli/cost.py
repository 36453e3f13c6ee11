"""The cost guard: nothing is bought that nobody has agreed to."""

from __future__ import annotations

import sys

import click

from ingestor.cli.output import on_terminal, tell
from ingestor.errors import BudgetExceeded
from ingestor.job import JobPlan
from ingestor.vocabulary import Realm


def usd(amount: float) -> str:
    """An amount as people read it: cents, and of less than a cent what there is."""
    return f"{amount:,.2f} USD" if amount >= 0.01 or not amount else f"{amount:.2g} USD"


def approve(plan: JobPlan, *, cap_usd: float | None, may_ask: bool) -> None:
    """Return if the job may cost what it is quoted; a person on a terminal is asked without a cap.

    A simulated gateway bills nobody, but a cap that was given holds there, too.

    Args:
        cap_usd: Most US dollars; None where neither flag, job file nor settings name one.
        may_ask: Whether questions are welcome: not where the output is for programs.

    Raises:
        BudgetExceeded: It is dearer than the cap, or nobody agreed.
    """
    if plan.quoted_usd is None:
        return
    quoted = usd(plan.quoted_usd)
    if cap_usd is not None:
        if plan.quoted_usd > cap_usd:
            raise BudgetExceeded(
                f"the job is quoted {quoted}; at most {usd(cap_usd)} are allowed",
                hint="ask for less, or raise --max-cost (or budget.max_usd_per_job)",
            )
        return
    if plan.realm is not Realm.REAL or not plan.quoted_usd:
        return
    if not (may_ask and sys.stdin.isatty() and on_terminal(sys.stderr)):
        raise BudgetExceeded(
            f"the job is quoted {quoted}, and nothing says how much it may cost",
            hint="give --max-cost USD, or set budget.max_usd_per_job",
        )
    if not click.confirm(f"The provider quotes {quoted} for this job. Buy it?", err=True):
        raise BudgetExceeded(f"the job was quoted {quoted} and not agreed to")
    tell(f"agreed to {quoted}")
