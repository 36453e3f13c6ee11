"""The Dockerfiles and .dockerignore, read without a Docker engine."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ingestor.settings import SECRETS, SETTING_NAMES
from ingestor.settings.layers import variable
from tests.deploy import compose
from tests.deploy.dockerfile import NAMES, ROOT, Stage, context, is_ignored, stages

pytestmark = [pytest.mark.fast, pytest.mark.parametrize("name", NAMES)]


def final(name: str) -> Stage:
    return stages(name)[1][-1]


def test_it_is_built_in_two_stages_on_a_slim_python_of_docker_hub(name: str) -> None:
    """What the second one does not copy (pip's cache, the sources) is not in the image."""
    arguments, found = stages(name)

    assert [stage.base for stage in found] == ["${BASE}", "${BASE}"]
    assert re.fullmatch(r"python:3\.11-slim(-[a-z]+)?", arguments["BASE"])
    assert [stage.name for stage in found] == ["builder", "runtime"]
    assert all(each.flags == ("--from=builder",) or "--chmod" in each.flags[0]
               for each in found[-1].all("COPY"))  # fmt: skip


def test_packages_come_from_the_lock_with_hashes(name: str) -> None:
    """Each other installation takes nothing from an index."""
    installs = [
        part
        for each in stages(name)[1][0].all("RUN")
        for part in each.text.split("&&")
        if re.search(r"pip (install|wheel|download)", part)
    ]
    locked = [part for part in installs if "-r requirements.txt" in part]

    assert len(locked) == 1
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(locked[0].split())
    assert len(installs) == 3
    assert all({"--no-index", "--no-deps"} <= set(p.split()) for p in installs if p not in locked)


def test_pip_caches_where_the_cache_is_mounted(name: str) -> None:
    """Elsewhere the mount would be empty for ever, and the layer full."""
    builder = stages(name)[1][0]
    [mount] = [flag for run in builder.all("RUN") for flag in run.flags if "type=cache" in flag]
    assert mount.endswith(f",target={builder.environment()['PIP_CACHE_DIR']}")


def test_no_package_of_the_system_is_installed(name: str) -> None:
    """No compiler, no package lists: what is not there has no holes."""
    text = (ROOT / name).read_text(encoding="utf-8")

    assert not re.search(r"\b(apt-get|apt|apk|curl|wget|git)\b", text)
    assert not any(stage.all("ADD") for stage in stages(name)[1])


def test_no_secret_is_an_argument_or_a_variable(name: str) -> None:
    """Both are kept in the image's history."""
    arguments, found = stages(name)
    names = set(arguments) | {
        each.text.partition("=")[0] for stage in found for each in stage.all("ARG")
    }
    names |= {key for stage in found for key in stage.environment()}

    assert names
    assert not [key for key in names if re.search(r"PASS|TOKEN|SECRET|KEY|INDEX|URL$", key)
                and key != "HDI_VAULT_URL"]  # fmt: skip
    assert not names & {variable(setting) for setting in SECRETS}


def test_variables_of_ours_are_settings(name: str) -> None:
    given = {key for key in final(name).environment() if key.startswith("HDI_")}

    assert given <= {variable(setting) for setting in SETTING_NAMES}
    assert "HDI_VAULT_URL" in given


def test_the_user_is_a_number_that_is_not_root_and_comes_last(name: str) -> None:
    """A number, since Kubernetes cannot tell whether a name is root."""
    stage = final(name)
    order = [each.name for each in stage.instructions]
    uid, gid = stage.last("USER").text.split(":")

    assert len(stage.all("USER")) == 1
    assert int(uid) == int(gid) >= 10_000
    assert not {"RUN", "COPY"} & set(order[order.index("USER") :])
    made = stage.all("RUN")[0].text
    assert f"--uid {uid} " in made
    assert f"--gid {gid} " in made


def test_folders_of_the_settings_belong_to_the_user(name: str) -> None:
    """A new named volume takes owner and rights from the image's folder."""
    stage = final(name)
    places = stage.environment()
    made = stage.all("RUN")[0].text.partition("install --directory --owner=10001")[2].split()

    assert {places["HDI_VAULT_URL"], places["HDI_DLQ_DIR"]} <= set(made)
    worker = compose.services()["worker"]["environment"]
    assert worker["HDI_VAULT_URL"] == places["HDI_VAULT_URL"]
    assert worker["HDI_DLQ_DIR"] == places["HDI_DLQ_DIR"]


def test_commands_are_lists_that_no_shell_stands_before(name: str) -> None:
    """A shell as process 1 swallows SIGTERM, and the worker could not hand its chunks back."""
    stage = final(name)
    check = stage.last("HEALTHCHECK")

    assert not any(stage.all("ENTRYPOINT") for stage in stages(name)[1])
    assert stage.last("CMD").words()[0] == "hdi"
    assert stage.last("STOPSIGNAL").text == "SIGTERM"
    assert check.text.startswith("CMD [")
    assert {flag.partition("=")[0] for flag in check.flags} == {
        "--interval", "--timeout", "--start-period", "--retries",
    }  # fmt: skip


def test_its_command_is_one_that_hdi_knows(name: str) -> None:
    compose.parse(final(name).last("CMD").words())


def test_compose_runs_the_same_command(name: str) -> None:
    """`docker run` and `docker compose up` do not differ."""
    service = name.partition(".")[2]

    assert compose.services()[service]["command"] == final(name).last("CMD").words()


def test_it_carries_labels_and_the_version_of_the_code(name: str) -> None:
    """`docker inspect` says what it is; the version's default must not lag behind."""
    stage = final(name)
    labels = stage.last("LABEL").text
    init = ast.parse((ROOT / "ingestor/__init__.py").read_text(encoding="utf-8"))
    version = next(
        node.value.value
        for node in init.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    )

    for key in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{key}=" in labels
    assert f"VERSION={version}" in [each.text for each in stage.all("ARG")]


def test_output_is_not_held_back(name: str) -> None:
    environment = final(name).environment()

    assert environment["PYTHONUNBUFFERED"] == "1"
    assert environment["HDI_LOG_FORMAT"] == "json"
    assert environment["PATH"] == "/opt/hdi/bin:$PATH"


def test_both_images_share_their_layers(name: str) -> None:
    """Up to the last WORKDIR they are the same, word for word; then labels and command differ."""
    texts = [(ROOT / each).read_text(encoding="utf-8") for each in NAMES]
    shared = {text[text.index("ARG BASE") : text.rindex("\nWORKDIR")] for text in texts}

    assert len(shared) == 1
    assert name in NAMES


def test_what_is_copied_is_in_the_build(name: str) -> None:
    """.dockerignore lets it in, and it is in the checkout."""
    seen = context()
    for stage in stages(name)[1]:
        for each in stage.all("COPY"):
            if "--from=builder" in each.flags:
                continue
            *sources, _ = each.text.split()
            for source in sources:
                held = source.removeprefix("./")
                assert any(p == held or p.startswith(f"{held}/") for p in seen), source


@pytest.mark.parametrize(
    "path",
    [
        ".env", ".git/config", "secrets/owner_password.txt", "secrets/databento_api_key.txt",
        "tests/conftest.py", "files/a.dbn.zst", ".venv/bin/python", "requirements-dev.txt",
        "deploy/make-secrets", "ingestor/__pycache__/job.cpython-311.pyc", "configs/.env.local",
        "docker-compose.yml", "configs/x/day.dbn.zst", "anything-new",
    ],
)  # fmt: skip
def test_secrets_history_and_data_stay_out_of_the_build(name: str, path: str) -> None:
    assert is_ignored(path)
    assert name in NAMES


def test_the_build_sees_all_of_the_code(name: str) -> None:
    """And little else: nothing in it is of another sort."""
    seen = set(context())
    code = {str(p.relative_to(ROOT)) for top in ("ingestor", "workers") for p in _sources(top)}

    assert code <= seen
    assert "configs/system.yaml" in seen
    kinds = {Path(path).suffix for path in seen}
    assert kinds <= {"", ".css", ".html", ".js", ".json", ".mako", ".md", ".py", ".sql", ".svg",
                     ".toml", ".txt", ".typed", ".yaml", ".yml"}  # fmt: skip
    assert name in NAMES


def _sources(top: str) -> list[Path]:
    return [p for p in (ROOT / top).rglob("*.py") if "__pycache__" not in p.parts]
