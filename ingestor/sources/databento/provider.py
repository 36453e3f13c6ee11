"""Databento as its callers see it: every call limited, repeated while that may help, translated."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from ingestor import failpoint
from ingestor.errors import LocalFault
from ingestor.manifest import DayCondition, PayloadRequest
from ingestor.settings import Settings
from ingestor.sources.databento import answers, asking
from ingestor.sources.databento.answers import AvailableRange, Publisher, Resolved, UnitPrices
from ingestor.sources.databento.calls import Calls
from ingestor.sources.databento.gateway import checked_key, client_name, gateway_of
from ingestor.steps import counted
from ingestor.vocabulary import Realm

if TYPE_CHECKING:
    import databento

T = TypeVar("T")

_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A payload on disk as the provider ended it: whether it is whole is for the intake to prove.

    Attributes:
        warnings: What the provider said beside it.
    """

    warnings: tuple[str, ...]


class Provider:
    """Blocking calls, for threads; one object per process. Making it touches no network.

    Every method raises AuthenticationFailed, PaymentRequired, SourceRefused or NotYetAvailable for
    what the provider does not give, and SourceUnavailable or RateLimited for what did not pass
    within ``databento.patience_s``.
    """

    def __init__(self, settings: Settings) -> None:
        gateway = gateway_of(settings)
        self._gateway = gateway
        self.realm: Realm = gateway.realm
        self.client_name: str = client_name()
        self._calls = Calls(settings, gateway)

    def require_key(self) -> None:
        """Return if there is a key to send.

        Raises:
            AuthenticationFailed: There is none, or none that could be one.
        """
        checked_key(self._gateway)

    def datasets(self) -> tuple[str, ...]:
        """Dataset codes."""
        found = self._metadata("list_datasets", answers.NAMES)
        return tuple(found)

    def schemas(self, dataset: str) -> tuple[str, ...]:
        """Names of the schemas that a dataset has; more than HDI stores."""
        found = self._metadata("list_schemas", answers.NAMES, dataset=dataset)
        return tuple(found)

    def available(self, dataset: str) -> AvailableRange:
        """The range that the account may ask for."""
        read = partial(answers.available_range, dataset)
        return self._asked("metadata.get_dataset_range", read, dataset=dataset)

    def conditions(self, dataset: str, start: dt.date, past: dt.date) -> tuple[DayCondition, ...]:
        """What the provider says of the days before `past`; it may leave some out."""
        if start >= past:
            return ()
        found = self._metadata(
            "get_dataset_condition", answers.CONDITIONS,
            dataset=dataset, start_date=start, end_date=past - _ONE_DAY,  # inclusive there
        )  # fmt: skip
        return tuple(each.day for each in found)

    def record_count(self, request: PayloadRequest) -> int:
        """Records that a download of the request holds; exact on whole days, free of charge."""
        return self._metadata("get_record_count", answers.COUNT, **asking.fields(request))

    def cost(self, request: PayloadRequest) -> float:
        """US dollars that each download of the request costs."""
        return self._metadata("get_cost", answers.USD, **asking.fields(request))

    def billable_size(self, request: PayloadRequest) -> int:
        """Bytes that are billed: uncompressed records."""
        return self._metadata("get_billable_size", answers.COUNT, **asking.fields(request))

    def unit_prices(self, dataset: str) -> tuple[UnitPrices, ...]:
        """US dollars per gigabyte, by mode of delivery and schema."""
        found = self._metadata("list_unit_prices", answers.UNIT_PRICES, dataset=dataset)
        return tuple(found)

    def publishers(self) -> tuple[Publisher, ...]:
        """Publisher ids and what they stand for."""
        found = self._metadata("list_publishers", answers.PUBLISHERS)
        return tuple(found)

    def resolve(
        self,
        dataset: str,
        symbols: Sequence[str],
        *,
        stype_in: str,
        stype_out: str,
        start: dt.date,
        past: dt.date,
    ) -> Resolved:
        """What the symbols meant from `start` to before `past`; any number of symbols."""
        read = partial(answers.resolution, stype_in, stype_out)
        lists = list(asking.groups(symbols, stype_in))
        return answers.together(
            self._asked(
                "symbology.resolve", read, dataset=dataset, symbols=some, stype_in=stype_in,
                stype_out=stype_out, start_date=start, end_date=past,
            )
            for some in counted("lists of symbols looked up", lists, len(lists))
        )  # fmt: skip

    def download(self, request: PayloadRequest, path: Path, *, most: int | None = None) -> Delivery:
        """Streams a payload to `path`, which must not exist; billed. Removed again on failure.

        The client takes a stream that ends early for a whole one where its end is a clean one.

        Args:
            most: Bytes after which it is broken off, so that a body without end fills no disk.

        Raises:
            TruncatedPayload: It broke off, has more bytes than it may, or cannot be read from its
                first bytes on.
            LocalFault: It cannot be written.
        """
        if path.exists():
            raise LocalFault(f"{path.name} is there already: nothing is downloaded onto it")
        wanted = asking.fields(request)

        def fetch(client: databento.Historical) -> None:
            with _removed_on_failure(path):
                client.timeseries.get_range(path=path, **wanted)
                failpoint.reach("fetching")
                _sync(path)

        _, exchange = self._calls.make("timeseries.get_range", fetch, most=most)
        return Delivery(exchange.warnings)

    def _metadata(self, method: str, form: TypeAdapter[T], **fields: Any) -> T:
        return self._asked(f"metadata.{method}", partial(answers.read, form), **fields)

    def _asked(self, call: str, read: Callable[[object, str], T], **fields: Any) -> T:
        """The answer to a call of that name, read where it can be asked for again."""
        family, _, method = call.partition(".")

        def ask(client: databento.Historical) -> T:
            return read(getattr(getattr(client, family), method)(**fields), call)

        return self._calls.make(call, ask)[0]


@contextlib.contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise  # another's
    except BaseException as error:
        # The client leaves its file open; the traceback's frames hold it, and with it the space.
        traceback.clear_frames(error.__traceback__)
        if error.__context__ is not None:
            traceback.clear_frames(error.__context__.__traceback__)
        path.unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    with path.open("rb") as written:
        os.fsync(written.fileno())
