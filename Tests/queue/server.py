"""A `rastro serve` of the walk's own, with its embedded database, and what is needed to remove both."""
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Optional

READY_SECONDS, COMMAND_SECONDS, EXIT_SECONDS = 90, 120, 40
LISTENING = re.compile(r"listening on (http://\S+)")


class Server:
    """Started by `with`; gone, and its database with it, at the end.

    `beside` is another server, whose database this one shares. The port is known beforehand, so that others can be told
    where to send requests on to.
    """

    def __init__(self, binary: str, beside: Optional["Server"] = None) -> None:
        self.binary, self.port = binary, free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="rastro-queue-"))
        self.data = beside.data if beside else self.directory / "data"
        self.log = self.directory / "server.log"
        self.owns_data = beside is None
        self.process: Optional[subprocess.Popen] = None
        self.address = ""

    def __enter__(self) -> "Server":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self) -> None:
        ready = threading.Event()
        command = [self.binary, "serve", "--data-dir", str(self.data), "--port", str(self.port)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            cwd=self.directory, env=environment(), text=True)
        threading.Thread(target=self.read_output, args=(ready,), daemon=True).start()
        if not ready.wait(READY_SECONDS) or not self.address:
            raise RuntimeError("the server did not become ready; its log ends:\n" + self.tail())

    def read_output(self, ready: threading.Event) -> None:
        for line in self.process.stdout:
            if found := LISTENING.search(line):
                self.address = found.group(1)
                ready.set()
        ready.set()

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])

    def rastro(self, *arguments: str) -> str:
        done = subprocess.run([self.binary, *arguments, "--data-dir", str(self.data)], capture_output=True, text=True,
                              cwd=self.directory, env=environment(), timeout=COMMAND_SECONDS, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"rastro {arguments[0]} exited {done.returncode}: {done.stderr}")
        return done.stdout

    def make_key(self, user: str, scopes: str) -> dict:
        return json.loads(self.rastro("keys", "create", "--user", user, "--scopes", scopes, "--json"))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=EXIT_SECONDS)

    def __exit__(self, *_: object) -> None:
        """After a failure too: SIGTERM first, so that it takes its database with it."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        if self.owns_data:
            remove_cluster(self.data)
        shutil.rmtree(self.directory, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment() -> dict:
    """This one's without what would lead to another database or other keys."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RASTRO_", "PG", "AWS_"))}
    kept.pop("DATABASE_URL", None)
    return kept


def remove_cluster(data: Path) -> None:
    """As root the database lies elsewhere, behind a link: that goes too, if it says that it belongs to this data."""
    link = data / "postgres"
    if not link.is_symlink():
        return
    home = link.resolve()
    marker = home / "rastro-cluster"
    if marker.is_file() and str(data.resolve()) in marker.read_text(encoding="utf-8").splitlines():
        shutil.rmtree(home, ignore_errors=True)
