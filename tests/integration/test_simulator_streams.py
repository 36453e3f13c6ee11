"""Streams of any size in bounded memory, files served, and the command that runs it all."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import tracemalloc

import databento
import pytest
import requests

from ingestor.simulator import options as simulator_options
from ingestor.simulator.dbn_writer import write_dbn
from ingestor.simulator.desk import Desk
from ingestor.simulator.made_archive import SLICE_RECORDS
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, mappings, trades
from ingestor.simulator.options import SimulatorOptions
from ingestor.simulator.server import running
from tests.golden.clients import KEY, historical

DAY_11 = {"dataset": "GLBX.MDP3", "start": "2024-03-11", "end": "2024-03-12"}
FORM = {**DAY_11, "schema": "trades", "symbols": "ESM4,NQM4", "stype_in": "raw_symbol"}
RUN = "from ingestor.cli.simulate import simulate; simulate()"


def drained(gateway):
    """Bytes of the answer, none of which is kept."""
    with requests.post(
        f"{gateway.url}/v0/timeseries.get_range", data=FORM, auth=(KEY, ""), timeout=60, stream=True
    ) as answer:
        return sum(len(part) for part in answer.iter_content(1 << 16))


def test_a_day_is_streamed_without_ever_being_in_memory():
    """1.3 million records are 63 MB; a slice of two instruments is 0.8 MB."""
    per_day = 80 * SLICE_RECORDS
    with running(SimulatorOptions(per_day=per_day)) as gateway:
        drained(gateway)
        tracemalloc.start()
        try:
            drained(gateway)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert gateway.requests()[-1].records == 2 * per_day
    assert peak < 12 * 2**20


def test_no_more_slices_are_made_than_the_reader_takes(monkeypatch):
    """A reader that stops reading stops the making: buffers fill, and no slice follows."""
    made = []
    slices = Desk.slices

    def counted(self, order):
        for records in slices(self, order):
            made.append(len(records))
            yield records

    monkeypatch.setattr(Desk, "slices", counted)
    with (
        running(SimulatorOptions(per_day=400 * SLICE_RECORDS)) as gateway,
        requests.post(
            f"{gateway.url}/v0/timeseries.get_range", data=FORM, auth=(KEY, ""), timeout=60,
            stream=True,
        ) as answer,
    ):  # fmt: skip
        next(answer.iter_content(1024))
        settled = -1
        while settled != len(made):
            settled = len(made)
            time.sleep(0.5)
        assert 0 < len(made) < 200


def test_a_reader_that_goes_away_stops_the_stream():
    with running(SimulatorOptions(per_day=200 * SLICE_RECORDS)) as gateway:
        with requests.post(
            f"{gateway.url}/v0/timeseries.get_range", data=FORM, auth=(KEY, ""), timeout=60,
            stream=True,
        ) as answer:  # fmt: skip
            next(answer.iter_content(1024))
        assert historical(gateway.url).metadata.list_datasets()
        assert gateway.bill().records < 400 * SLICE_RECORDS


def test_a_folder_of_files_is_a_gateway(tmp_path):
    records = trades(INSTRUMENTS, MONDAY, MONDAY + DAY, seed=2, per_day=50)
    named = mappings(INSTRUMENTS, MONDAY, MONDAY + DAY)
    write_dbn(
        tmp_path / "a.dbn.zst", "trades", records, symbols=list(named), mappings=named,
        dataset="GLBX.MDP3", start=MONDAY, end=MONDAY + DAY,
    )  # fmt: skip
    with running(SimulatorOptions(folder=tmp_path)) as gateway:
        client = historical(gateway.url)
        assert client.metadata.list_schemas("GLBX.MDP3") == ["trades"]
        found = client.timeseries.get_range(**DAY_11, schema="trades", symbols=list(named))
        assert found.to_ndarray().tobytes() == records.tobytes()
        one = client.timeseries.get_range(**DAY_11, schema="trades", symbols="ESM4")
        assert set(one.to_ndarray()["instrument_id"]) == {17_077}
        assert client.metadata.get_record_count(**DAY_11, schema="trades", symbols="ESM4") == 50
        resolved = client.symbology.resolve(
            "GLBX.MDP3", "ESM4", "raw_symbol", "instrument_id", "2024-03-11", "2024-03-12"
        )
        assert resolved["result"]["ESM4"][0]["s"] == "17077"


@pytest.mark.corpus
def test_the_provider_s_own_files_are_served_as_they_are(corpus):
    with running(SimulatorOptions(folder=corpus, limits=False)) as gateway:
        client = historical(gateway.url)
        for dataset in client.metadata.list_datasets():
            for schema in client.metadata.list_schemas(dataset):
                path = next((corpus / dataset).glob(f"*.{schema}.dbn.zst"))
                original = databento.DBNStore.from_file(path)
                bounds = client.metadata.get_dataset_range(dataset)["schema"][schema]
                found = client.timeseries.get_range(
                    dataset, bounds["start"], bounds["end"], schema=schema,
                    symbols=original.symbols, stype_in=original.stype_in,
                )  # fmt: skip
                assert found.to_ndarray().tobytes() == original.to_ndarray().tobytes(), path
                assert found.mappings == original.mappings


class TestCommand:
    @pytest.fixture
    def command(self):
        started = []

        def start(*arguments):
            process = subprocess.Popen(
                [sys.executable, "-c", RUN, *arguments],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            started.append(process)
            return process

        yield start
        for process in started:
            process.kill()
            process.communicate(timeout=30)

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_it_says_where_it_listens_and_stops_when_told(self, command, number):
        process = command("--port", "0", "--per-day", "5")
        lines = [process.stdout.readline().strip() for _ in range(3)]
        url = lines[0].removeprefix("simulator  ")
        assert lines[1] == f"export HDI_DATABENTO_GATEWAY={url}"
        key = lines[2].removeprefix("export DATABENTO_API_KEY=")
        assert historical(url, key).metadata.list_datasets()
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
        assert (process.returncode, told) == (0, "")

    def test_options_reach_the_gateway(self, command):
        key = "db-" + "q" * 29
        process = command(
            "--quiet", "--seed", "3", "--per-day", "20", "--start", "2024-03-04", "--end",
            "2024-03-16", "--key", key, "--no-limits",
            "--fault", "status:status=503,match.schema=trades",
        )  # fmt: skip
        url = process.stdout.readline().strip().removeprefix("simulator  ")
        client = historical(url, key)
        assert client.metadata.get_dataset_range("GLBX.MDP3")["end"].startswith("2024-03-16")
        query = {**DAY_11, "schema": "trades", "symbols": ["ESM4"]}
        with pytest.raises(databento.BentoServerError):
            client.timeseries.get_range(**query)
        found = client.timeseries.get_range(**query).to_ndarray()
        expected = trades(INSTRUMENTS[:1], MONDAY, MONDAY + DAY, seed=3, per_day=20)
        assert found.tobytes() == expected.tobytes()
        for _ in range(30):
            client.metadata.list_datasets()
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
        assert rest == ""

    def test_a_port_in_use_is_told_once(self):
        """One line and its hint, not the event loop's own words behind ours."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = subprocess.run(
                [sys.executable, "-m", "ingestor.cli", "simulate", "--port", str(port)],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
        what, hint = done.stderr.splitlines()
        assert done.returncode == 2
        assert what.endswith(f"cannot listen on 127.0.0.1 port {port}: Address already in use")
        assert "--port 0" in hint

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--fault", "explode"], "kinds are status"),
            (["--key", "short"], "db- and 29 more"),
            (["--end", "2023-01-01"], "before its start"),
            (["--folder", __file__], "is a file"),
            (["--port", "70000"], "70000"),
        ],
    )
    def test_what_cannot_be_is_refused(self, command, arguments, told):
        process = command(*arguments)
        _, errors = process.communicate(timeout=30)
        assert process.returncode != 0
        assert told in errors

    def test_help_loads_no_servers_and_no_data_libraries(self):
        probe = (
            "import sys\nfrom ingestor.cli.simulate import simulate\n"
            "try:\n    simulate(['--help'])\nexcept SystemExit:\n    pass\n"
            "print(sorted({'aiohttp', 'numpy', 'databento', 'pydantic'} & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout.rstrip().endswith("[]")


def test_a_taken_port_is_refused(tmp_path):
    from ingestor.errors import BadSettings

    with running(SimulatorOptions()) as gateway:
        port = int(gateway.url.rpartition(":")[2])
        with pytest.raises(BadSettings, match=str(port)), running(SimulatorOptions(port=port)):
            pass


def test_the_settings_it_names_lead_to_it():
    with running(SimulatorOptions()) as gateway:
        assert gateway.environment() == {
            "HDI_DATABENTO_GATEWAY": gateway.url,
            "DATABENTO_API_KEY": simulator_options.KEY,
        }


def test_what_is_kept_is_streamed_and_billed_again_as_it_was():
    """Until a day is corrected, and never what a fault has changed."""
    with running(SimulatorOptions(per_day=200, limits=False, keep_mb=5)) as gateway:
        made, again = streamed(gateway), streamed(gateway)
        assert again == made
        bill = gateway.bill()
        assert (bill.calls, bill.records) == (2, 800)
        gateway.fault("missing_records", records=1, count=1)
        assert streamed(gateway) != made
        assert streamed(gateway) == made
        gateway.fault("corrected", dataset="GLBX.MDP3", day="2024-03-11", seed=9)
        assert streamed(gateway) != made


def streamed(gateway) -> bytes:
    answer = requests.post(
        f"{gateway.url}/v0/timeseries.get_range", data=FORM, auth=(KEY, ""), timeout=60
    )
    assert answer.status_code == 200, answer.text
    return answer.content
