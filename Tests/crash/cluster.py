"""A throw-away PostgreSQL of the harness's own: made, started, killed and removed here."""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Optional

START_SECONDS = 30
SETTINGS = {
    "fsync": "on", "synchronous_commit": "on", "listen_addresses": "127.0.0.1", "max_connections": "60",
    "shared_buffers": "64MB", "max_wal_size": "1GB", "log_min_messages": "warning",
    # What is killed here is a process, not the machine: no file needs to be forced to disk once more.
    "recovery_init_sync_method": "syncfs",
}


class Cluster:
    """One PostgreSQL on a free loopback port, trusting whoever comes from there, under `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.log = directory / "postgres.log"
        self.port = free_port()
        self.process: Optional[subprocess.Popen] = None
        self.account = unprivileged_account()
        directory.mkdir(mode=0o755, parents=True)
        if self.account:
            os.chown(directory, self.account.pw_uid, self.account.pw_gid)
        self.run("initdb", "-D", str(self.data), "-U", "rastro", "-A", "trust", "-E", "UTF8", "--locale=C",
                 "--no-instructions", "--no-sync")

    def url(self, database: str, port: Optional[int] = None) -> str:
        return f"postgresql://rastro@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Starts it and waits until it takes connections; after a kill that may need a few tries."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                self.process = self.launch()
            if self.is_ready():
                return
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start; see {self.log}")

    def launch(self) -> subprocess.Popen:
        command = [program("postgres"), "-D", str(self.data), "-p", str(self.port), "-k", str(self.directory)]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        with open(self.log, "ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory,
                                    env=clean_environment(self.directory), **self.as_account())

    def is_ready(self) -> bool:
        command = [program("psql"), "-XAtq", "-d", self.url("postgres"), "-c", "select 1"]
        done = subprocess.run(command, capture_output=True, env=dict(os.environ, PGCONNECT_TIMEOUT="2"), check=False)
        return done.returncode == 0

    def kill(self) -> None:
        """`kill -9` of the postmaster; its backends follow by themselves."""
        self.signal(signal.SIGKILL)

    def stop_immediately(self) -> None:
        """The immediate stop: no checkpoint, the next start recovers from the log."""
        self.signal(signal.SIGQUIT)

    def signal(self, number: int) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def execute(self, database: str, sql: str) -> str:
        command = [program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", sql]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"psql failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def run(self, name: str, *arguments: str) -> None:
        done = subprocess.run([program(name), *arguments], capture_output=True, text=True, cwd=self.directory,
                              env=clean_environment(self.directory), check=False, **self.as_account())
        if done.returncode != 0:
            raise RuntimeError(f"{name} failed: {done.stderr.strip()}")

    def as_account(self) -> dict:
        if self.account is None:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}


class Session:
    """A `psql` that stays connected, for questions that must be quick."""

    END = "--- end of answer ---"

    def __init__(self, url: str) -> None:
        self.process = subprocess.Popen([program("psql"), "-XAtq", "-d", url], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
                                        env=dict(os.environ, PGOPTIONS="-c search_path=rastro,public"))

    def query(self, sql: str) -> list:
        """The rows' lines; raises once the connection is gone."""
        self.process.stdin.write(f"{sql};\n\\echo {self.END}\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n") == self.END:
                return lines
            lines.append(line.rstrip("\n"))
        raise RuntimeError("psql went away")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except OSError:
                pass


def program(name: str) -> str:
    """Where PostgreSQL's own programs lie: on the PATH, else the newest of the usual places."""
    places = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4]))
    found = places[-1] if places else shutil.which(name)
    if found is None:
        raise RuntimeError(f"there is no PostgreSQL here: {name} was not found")
    return os.path.realpath(found)


def unprivileged_account() -> Optional[pwd.struct_passwd]:
    """PostgreSQL refuses to run as root: whom it runs as then; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("as root an account is needed for PostgreSQL: neither postgres nor nobody is there")


def clean_environment(home: Path) -> dict:
    """The environment without whatever would point a program elsewhere."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("PG", "RASTRO_", "AWS_")) and name != "DATABASE_URL"}
    return dict(kept, HOME=str(home))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
