"""An image without Docker: a folder that stands for its file system, made by the Dockerfile's RUNs.

And "containers": the very commands of docker-compose.yml, run as processes out of that folder.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy import compose
from tests.deploy.dockerfile import ROOT, Stage, context, stages

_INSIDE = re.compile(
    r"(?<![\w./-])/(opt/hdi|src|wheels|srv/hdi|files|run/secrets|usr/local/lib/hdi|tmp)\b"
)
_AGAIN = "import os, sys; os.execv(sys.executable, [sys.executable, '-c', ''])"
_PASSED_ON = ("PIP_", "SSL_", "REQUESTS_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True)
class Image:
    """Folders of the image and of its builder, below `root`.

    Attributes:
        root: Stands for ``/``.
    """

    root: Path
    name: str

    @property
    def stage(self) -> Stage:
        return stages(self.name)[1][-1]

    @property
    def python(self) -> Path:
        return self.root / "opt/hdi/bin/python"

    def outside(self, text: str) -> str:
        """A text whose paths of the image are paths of this machine."""
        return _INSIDE.sub(lambda found: f"{self.root}/{found[1]}", text)

    def confined(self) -> list[str]:
        """What a command line begins with, so that it runs as the image's user, without privileges.

        The image's folder is root's: such a process can write to /tmp and the volumes only, as in
        a container with `read_only`. Where this machine's Python lies in a closed folder, the one
        privilege to read everything is left to it. Nobody but root can confine.
        """
        if os.geteuid() != 0:
            return []
        uid, gid = self.stage.last("USER").text.split(":")
        user = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs"]
        for held in ("", ",+dac_read_search"):
            names = f"-all{held}"
            prefix = [*user, f"--inh-caps={names}", f"--bounding-set={names}"]
            prefix += [f"--ambient-caps={names}"] if held else []
            # Twice: the first program is still found with setpriv's own privileges.
            trial = [*prefix, str(self.python), "-c", _AGAIN]
            if subprocess.run(trial, capture_output=True, check=False).returncode == 0:
                return prefix
        raise AssertionError("the image's user cannot run the image's Python")

    def environment(self) -> dict[str, str]:
        """What ENV sets, and nothing of ours: a PATH of the system without this project's tools."""
        own = {k: self.outside(v) for k, v in self.stage.environment().items()}
        own["PATH"] = own["PATH"].replace("$PATH", "/usr/local/bin:/usr/bin:/bin")
        return {**own, "LC_ALL": "C.UTF-8"}


def build(name: str, root: Path) -> Image:
    """Run the builder's instructions, then the COPYs of the image itself."""
    image = Image(root, name)
    builder, final = stages(name)[1]
    for folder in ("src", "tmp", "wheels", "srv/hdi/vault", "srv/hdi/dlq", "run/secrets", "files"):
        (root / folder).mkdir(parents=True)
    tools = root / "base"
    tools.mkdir()
    (tools / "python").symlink_to(Path(sys.executable).parent / "python")
    for each in builder.instructions:
        if each.name == "COPY":
            _copy(each.text, root / "src")
        elif each.name == "RUN":
            _run(image, each.text, tools)
    for each in final.all("COPY"):
        if "--from=builder" not in each.flags:
            _copy(each.text, root)
    (root / "tmp").chmod(0o1777)
    if os.geteuid() == 0:
        for volume in ("vault", "dlq"):
            os.chown(root / "srv/hdi" / volume, *map(int, final.last("USER").text.split(":")))
    return image


def _copy(text: str, workdir: Path) -> None:
    *sources, target = text.split()
    place = workdir / target.lstrip("/")
    for path in context():
        for source in sources:
            held = source.removeprefix("./")
            if path == held:
                goal = place / Path(path).name if target.endswith("/") else place
            elif path.startswith(f"{held}/"):
                goal = place / path.removeprefix(f"{held}/")
            else:
                continue
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, goal)


def _run(image: Image, text: str, tools: Path) -> None:
    passed_on = {k: v for k, v in os.environ.items() if k.upper().startswith(_PASSED_ON)}
    # BuildKit mounts a cache there; here pip keeps to its usual one.
    builder = stages(image.name)[1][0].environment()
    own = {name: value for name, value in builder.items() if name != "PIP_CACHE_DIR"}
    done = subprocess.run(
        ["/bin/sh", "-c", image.outside(text)],
        cwd=image.root / "src",
        env={**passed_on, "PATH": f"{tools}:/usr/bin:/bin", "HOME": os.environ["HOME"],
             **own},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"RUN {text}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


@dataclass
class Container:
    """A service of docker-compose.yml, run out of the image's folder.

    Attributes:
        changed: Words of commands that stand for others here: ports, addresses.
    """

    image: Image
    service: str
    changed: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.image.root / f"{self.service}.log"

    def text(self) -> str:
        return self.log.read_text(errors="replace")[-6_000:]

    def environment(self) -> dict[str, str]:
        """The image's, the file's and the service's own variables, and no other."""
        service = compose.services()[self.service]
        given = {**self._env_files(service), **service["environment"]}
        own = {k: self.image.outside(str(v)) for k, v in given.items() if k not in self.without}
        return {**self.image.environment(), **own}

    def _env_files(self, service: compose.Service) -> dict[str, str]:
        lines: list[str] = []
        for name in service.get("env_file", []):
            lines += (self.image.root / name).read_text(encoding="utf-8").split()
        return dict(line.split("=", 1) for line in lines)

    def words(self, command: list[str]) -> list[str]:
        """A command line of the container as this machine must spell it."""
        words = [self.image.outside(word) for word in command]
        for word, other in self.changed.items():
            words = [each.replace(word, other) for each in words]
        found = shutil.which(words[0], path=self.environment()["PATH"])
        assert found, f"{words[0]} is not in the image"
        assert found.startswith(str(self.image.root)), found
        return [*self.image.confined(), found, *words[1:]]

    def start(self) -> None:
        command = self.words(compose.services()[self.service]["command"])
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=self.image.root / "srv/hdi", env=self.environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def run(self, *command: str, timeout_s: float = 100) -> subprocess.CompletedProcess[str]:
        """What `docker compose run SERVICE command…` does."""
        return subprocess.run(
            self.words(list(command)), cwd=self.image.root / "srv/hdi", env=self.environment(),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s,
            check=False,
        )  # fmt: skip

    def health(self) -> subprocess.CompletedProcess[str]:
        """Run the service's health check once."""
        return self.run(*compose.services()[self.service]["healthcheck"]["test"][1:])

    def stop(self) -> None:
        """End it and all of its children, whatever state it is in."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
