"""Logs: their form, where they go, and that no secret gets into them."""

import base64
import io
import json
import logging
import multiprocessing
import os
import re
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import structlog
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pydantic import SecretStr

from ingestor import logs
from ingestor.log_file import QuietHandler, SharedFileHandler
from ingestor.logs import bound, configure, get_logger, redact
from ingestor.redaction import mask_url
from ingestor.settings import Settings


@pytest.fixture(autouse=True)
def _restored():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers[:]:
        if isinstance(handler, QuietHandler):
            root.removeHandler(handler)
            handler.close()
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.contextvars.clear_contextvars()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def lines(out):
    return [json.loads(line) for line in out.getvalue().splitlines()]


def json_logs(**given):
    out = io.StringIO()
    configure(stream=out, form="json", **given)
    return out


def test_a_line_is_one_json_object_with_facts_and_a_utc_time():
    out = json_logs(process="worker")

    get_logger("ingestor.x").info("chunk loaded", rows=3, fetch_s=0.5)

    (line,) = lines(out)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert line == {
        "event": "chunk loaded",
        "rows": 3,
        "fetch_s": 0.5,
        "level": "info",
        "logger": "ingestor.x",
        "process": "worker",
        "pid": os.getpid(),
    }


def test_lines_of_the_standard_library_have_the_same_form():
    out = json_logs()

    with bound(chunk=7):
        logging.getLogger("kombu.connection").warning("lost %s", "it", extra={"tries": 2})

    (line,) = lines(out)
    assert (line["event"], line["tries"], line["chunk"]) == ("lost it", 2, 7)
    assert (line["level"], line["logger"]) == ("warning", "kombu.connection")


def test_bound_facts_end_with_their_block():
    out = json_logs()
    log = get_logger("x")

    with bound(job="j", chunk=1, attempt=2, task="t"):
        log.info("in")
    log.info("out")

    inside, outside = lines(out)
    assert (inside["job"], inside["chunk"], inside["attempt"], inside["task"]) == ("j", 1, 2, "t")
    assert "job" not in outside


def test_auto_means_console_on_a_terminal_and_json_elsewhere(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    terminal, pipe = Terminal(), io.StringIO()

    configure(stream=terminal)
    get_logger("x").info("hello", rows=1)
    configure(stream=pipe)
    get_logger("x").info("hello", rows=1)

    assert "hello" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    assert "\x1b" not in terminal.getvalue()
    assert lines(pipe)[0]["event"] == "hello"


def fail(log):
    try:
        raise ValueError("first line\nsecond line")
    except ValueError:
        log.exception("chunk failed")


@pytest.mark.parametrize("log", [get_logger("x"), logging.getLogger("x")])
def test_the_console_shows_an_exception_as_one_line(log):
    out = io.StringIO()
    configure(stream=out, form="console")

    fail(log)

    assert "ValueError: first line" in out.getvalue()
    assert "Traceback" not in out.getvalue()
    assert len(out.getvalue().splitlines()) == 1


@pytest.mark.parametrize("log", [get_logger("x"), logging.getLogger("x")])
def test_json_and_debug_show_the_traceback(log):
    console, plain = io.StringIO(), io.StringIO()
    configure(stream=console, form="console", debug=True)
    fail(log)
    configure(stream=plain, form="json")
    fail(log)

    assert "Traceback" in console.getvalue()
    assert "Traceback" in lines(plain)[0]["exception"]


def test_settings_decide_unless_an_argument_does(tmp_path):
    settings = Settings(log_format="json", log_level="warning", log_file=tmp_path / "a" / "x.log")
    out = io.StringIO()
    configure(settings, stream=out)
    get_logger("x").info("too quiet")
    get_logger("x").warning("loud enough")
    configure(settings, stream=out, level="INFO")
    get_logger("x").info("now too")

    events = [line["event"] for line in lines(out)]
    assert events == ["loud enough", "now too"]
    kept = (tmp_path / "a" / "x.log").read_text().splitlines()
    assert [json.loads(line)["event"] for line in kept] == events


def test_configuring_again_doubles_no_line():
    json_logs()
    out = json_logs()

    get_logger("x").info("once")

    assert len(lines(out)) == 1


def test_warnings_are_logged():
    out = json_logs()

    logging.getLogger("py.warnings").warning("old")

    assert lines(out)[0]["event"] == "old"


def test_values_json_has_no_word_for_become_text():
    out = json_logs()
    job = uuid4()

    get_logger("x").info(
        "e", rows=np.int64(3), ratio=np.float64("nan"), job=job, path=Path("a"), b=b"\xff", s={1}
    )

    line = lines(out)[0]
    assert (line["rows"], line["ratio"], line["job"]) == (3, "nan", str(job))
    assert (line["path"], line["b"], line["s"]) == ("a", "\\xff", [1])


def test_a_value_that_cannot_be_shown_costs_no_line():
    class Broken:
        def __repr__(self):
            raise RuntimeError

    out = json_logs()
    circle = []
    circle.append(circle)
    get_logger("x").info("e", broken=Broken(), circle=circle)

    assert lines(out)[0]["broken"] == "<Broken>"


def test_a_line_that_cannot_be_formatted_is_reported_without_its_content(capsys):
    out = json_logs()

    # Straight to ours: pytest's own handler raises such faults.
    (handler,) = (h for h in logging.getLogger().handlers if isinstance(h, QuietHandler))
    handler.handle(logging.LogRecord("kombu", 30, "", 0, "%d", ("s3cret-pw",), None))

    assert out.getvalue() == ""
    assert capsys.readouterr().err == "a log line of kombu was lost: TypeError\n"


# --- redaction

SECRET = st.from_regex(r"[A-Za-z0-9!$%^&*()_+=~.,-]{8,40}", fullmatch=True).map(lambda s: "Zq7" + s)
KEY = st.from_regex(r"db-[A-Za-z0-9]{29}", fullmatch=True)
NAMES = st.sampled_from(
    ["password", "PGPASSWORD", "client_secret", "refresh_token", "api_key", "DATABENTO_API_KEY",
     "Authorization", "key", "dsn", "worker_dsn"]
)  # fmt: skip


def basic(secret):
    return "Basic " + base64.b64encode(f"u:{secret}".encode()).decode()


TEXTS = st.sampled_from(
    [
        lambda s: f"connect postgresql://hdi:{s}@127.0.0.1:5432/hdi failed",
        lambda s: f"redis://:{s}@h/0",
        lambda s: f"two urls http://a:{s}@b and amqp://c:{s}@d",
        lambda s: f"https://user:{s}/with@slash@host/x",
        lambda s: f"host=h password={s} dbname=d",
        lambda s: f"host=h password='{s} {s}' dbname=d",
        lambda s: f"https://h/x?api_key={s}",
        lambda s: f"sent Bearer {s} to h",
        lambda s: f"Authorization: Digest {s}",
        lambda s: repr({"password": s, "n": 1}),
        lambda s: json.dumps({"headers": {"authorization": f"x {s}"}, "token": s}),
    ]
)
HIDDEN = (
    st.tuples(TEXTS, SECRET).map(lambda ts: (ts[0](ts[1]), ts[1]))
    | SECRET.map(lambda s: (basic(s), base64.b64encode(f"u:{s}".encode()).decode()))
    | KEY.map(lambda k: (f"auth {k} refused", k))
)


def nest(leaf, path):
    for step in path:
        leaf = {
            "list": lambda v: [1, v],
            "tuple": lambda v: (v, None),
            "dict": lambda v: {"a": v, "b": 2},
            "error": ValueError,
            "object": lambda v: type("Thing", (), {"__repr__": lambda self: f"<Thing {v!r}>"})(),
        }[step](leaf)
    return leaf


PATHS = st.lists(st.sampled_from(["list", "tuple", "dict", "error", "object"]), max_size=4)


def everything_logged(write):
    """What both forms show of the lines that `write` writes, JSON also decoded."""
    shown = ""
    for form in ("json", "console"):
        out = io.StringIO()
        configure(stream=out, form=form, level="DEBUG", debug=True)
        write()
        shown += out.getvalue()
        if form == "json":
            shown += "".join(str(line) for line in lines(out))
    assert shown
    return shown


@effort(deadline=None)
@given(HIDDEN, PATHS)
def test_a_secret_of_a_known_form_never_shows(hidden, path):
    """As event, value at any depth, name, argument, exception text; ours and the library's."""
    text, secret = hidden

    def write():
        log, std = get_logger("x"), logging.getLogger("celery")
        log.info(text)
        log.info("e", fact=nest(text, path), **{text: 1})
        std.info("%s and %s", text, nest(text, path))
        std.info("e", extra={"fact": nest(text, path)})
        with bound(chunk=text):
            for logger in (log, std):
                try:
                    raise ValueError(text) from KeyError(text)
                except ValueError:
                    logger.exception("failed")

    assert secret not in everything_logged(write)


@effort(deadline=None)
@given(NAMES, SECRET, PATHS)
def test_a_value_under_a_secrets_name_never_shows(name, secret, path):
    plain = [step for step in path if step not in ("error", "object")]

    def write():
        get_logger("x").info("e", **{name: secret}, fact=nest({name: [secret]}, plain))
        logging.getLogger("kombu").info("e", extra={name: secret})

    assert secret not in everything_logged(write)


def test_pydantics_secrets_stay_hidden():
    assert "s3cret" not in everything_logged(
        lambda: get_logger("x").info("e", value=SecretStr("s3cret"))
    )


@pytest.mark.parametrize(
    "text",
    [
        "chunk 12 of GLBX.MDP3 loaded in 3.1 s",
        "Key (instrument_id)=(5) already exists",
        "basic checks passed",
        "see https://databento.com/docs/schemas-and-data-formats",
        "http://127.0.0.1:8080/jobs",
        "duplicate key value violates unique constraint",
    ],
)
def test_harmless_text_is_left_alone(text):
    assert redact(text) == text


def test_redacting_twice_changes_nothing():
    once = redact("postgres://u:p@h password=x Bearer y")
    assert redact(once) == once == "postgres://u:***@h password=*** Bearer ***"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://hdi:pw@127.0.0.1:5432/hdi", "postgresql://hdi:***@127.0.0.1:5432/hdi"),
        ("redis://:pw@h:1/0", "redis://:***@h:1/0"),
        ("postgresql://h/d", "postgresql://h/d"),
        (
            "postgresql://u:p@/d?host=/run&password=x",
            "postgresql://u:***@/d?host=/run&password=***",
        ),
        ("no url", "***"),
        ("x://[pw", "***"),
    ],
)
def test_a_masked_url_keeps_all_but_the_password(url, shown):
    assert mask_url(url) == shown


# --- the file


def write_many(path, number, count):
    handler = SharedFileHandler(path, max_bytes=20_000, kept=50)
    for i in range(count):
        handler.emit(logging.LogRecord("x", 20, "", 0, f"{number}:{i} " + "x" * 60, (), None))
    handler.close()


def test_several_processes_lose_no_line_when_the_file_is_turned_over(tmp_path):
    path = tmp_path / "x.log"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=write_many, args=(path, n, 2000)) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    files = [file for file in tmp_path.iterdir() if file.suffix != ".lock"]
    written = [line.split()[0] for file in files for line in file.read_text().splitlines()]
    assert len(files) > 10
    assert sorted(written) == sorted(f"{n}:{i}" for n in range(4) for i in range(2000))


def test_the_file_and_five_old_ones_are_kept(tmp_path):
    handler = SharedFileHandler(tmp_path / "x.log", max_bytes=100, kept=5)
    for i in range(50):
        handler.emit(logging.LogRecord("x", 20, "", 0, f"{i:02} " + "x" * 60, (), None))
    handler.close()

    kept = sorted(file.name for file in tmp_path.iterdir() if file.suffix != ".lock")
    assert kept == ["x.log", *(f"x.log.{n}" for n in range(1, 6))]
    assert (tmp_path / "x.log").read_text().startswith("49")


def test_a_file_that_was_taken_away_is_made_anew(tmp_path):
    out = json_logs(file=tmp_path / "x.log")
    get_logger("x").info("one")
    (tmp_path / "x.log").unlink()
    get_logger("x").info("two")

    assert len(lines(out)) == 2
    assert json.loads((tmp_path / "x.log").read_text())["event"] == "two"


def test_the_file_is_not_readable_by_everybody(tmp_path):
    json_logs(file=tmp_path / "x.log")

    assert (tmp_path / "x.log").stat().st_mode & 0o007 == 0


def test_capture_logs_of_structlog_works():
    """Other tests look at what was logged this way."""
    with structlog.testing.capture_logs() as captured:
        get_logger("x").info("chunk loaded", rows=1)

    assert captured[0]["event"] == "chunk loaded"


def test_redact_is_public():
    assert "redact" in logs.__all__
