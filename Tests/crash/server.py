"""`rastro` processes: servers that the harness starts, stops, freezes and kills, and the commands that it runs."""
import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import Optional

from cluster import clean_environment, free_port

READY_SECONDS = 60
EXIT_SECONDS = 20
# The smallest that there is, so that a run can cross a boundary.
PARTITION_SIZE = 65_536
LISTENING = re.compile(r"listening on http://([^:]+):(\d+)")


class Server:
    """One `rastro serve` on a port of its own choice. `port` is None while it is not there."""

    def __init__(self, binary: str, url: str, directory: Path, name: str) -> None:
        self.binary, self.url, self.directory, self.name = binary, url, directory, name
        self.log = directory / f"{name}.log"
        self.port: Optional[int] = None
        self.process: Optional[subprocess.Popen] = None
        self.starts = 0

    @property
    def identity(self) -> str:
        """Names the process that runs now, and tells it from those before it."""
        return f"{self.name}.{self.starts}"

    def start(self) -> None:
        """Starts it and waits for its `listening on` line."""
        self.starts += 1
        url = f"{self.url}?options=-c%20crash.server%3D{self.identity}"
        # Known beforehand, so that it can be told to the other server, which forwards to it.
        command = [self.binary, "serve", "--host", "127.0.0.1", "--port", str(free_port()), "--database-url", url]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            cwd=self.directory, env=environment(self.directory), text=True)
        ready = threading.Event()
        threading.Thread(target=self.read_output, args=(self.process, ready), daemon=True).start()
        if not ready.wait(READY_SECONDS) or self.port is None:
            self.kill()
            raise RuntimeError(f"{self.name} did not become ready; its log ends:\n{self.tail()}")

    def read_output(self, process: subprocess.Popen, ready: threading.Event) -> None:
        with open(self.log, "a", encoding="utf-8") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                found = LISTENING.search(line)
                if found and not ready.is_set():
                    self.port = int(found.group(2))
                    ready.set()
        ready.set()

    def kill(self) -> None:
        if self.process is not None:
            self.port = None
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> Optional[str]:
        """SIGTERM; None when it exited 0 in time or had been killed before, else what was wrong."""
        if self.port is None:
            return None
        self.port = None
        self.process.terminate()
        try:
            status = self.process.wait(timeout=EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return f"{self.name} did not exit within {EXIT_SECONDS} s of SIGTERM"
        return None if status == 0 else f"{self.name} exited with {status} after SIGTERM"

    def died(self) -> Optional[str]:
        """What to report when it is not running any more, though nobody killed it."""
        if self.port is None or self.process.poll() is None:
            return None
        return f"{self.name} ended by itself with {self.process.returncode}; its log ends:\n{self.tail()}"

    def tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-15:])

    def client_ports(self) -> set:
        """The local ports of its TCP connections: how the database's sessions of this process are told apart."""
        inodes = set()
        for link in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        ports = set()
        for table in ("tcp", "tcp6"):
            path = Path(f"/proc/{self.process.pid}/net/{table}")
            for line in path.read_text().splitlines()[1:] if path.exists() else ():
                columns = line.split()
                if columns[9] in inodes:
                    ports.add(int(columns[1].rsplit(":", 1)[1], 16))
        return ports


def command(binary: str, url: str, directory: Path, *arguments: str) -> str:
    """Runs a `rastro` command on that database and returns what it wrote."""
    done = subprocess.run([binary, *arguments, "--database-url", url], capture_output=True, text=True, timeout=60,
                          cwd=directory, env=environment(directory), check=False)
    if done.returncode != 0:
        raise RuntimeError(f"rastro {' '.join(arguments[:2])} failed ({done.returncode}): {done.stderr.strip()}")
    return done.stdout


def environment(home: Path) -> dict:
    secret = home / "server-secret"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(os.urandom(32).hex())
    return dict(clean_environment(home), RASTRO_PARTITION_SIZE=str(PARTITION_SIZE), RASTRO_SECRET_FILE=str(secret),
                AWS_ACCESS_KEY_ID="AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY="not-a-secret",
                RASTRO_WEBHOOK_NETWORKS="127.0.0.1")


def create_key(binary: str, url: str, directory: Path, user: str, scopes: str) -> dict:
    """As `rastro keys create --json` tells it."""
    return json.loads(command(binary, url, directory, "keys", "create", "--user", user, "--scopes", scopes, "--json"))
