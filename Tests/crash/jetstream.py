"""A stream on a real `nats-server`, which is killed and started here, read by a client of our own."""
import base64
import json
import shutil
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, Optional

from cluster import clean_environment, free_port
from deliveries import message
from receiver import Destination

START_SECONDS, ANSWER_SECONDS = 20, 10
PLACES = ("/usr/sbin", "/usr/bin", "/usr/local/bin")
MESSAGE_ID = "nats-msg-id"


class Stream(Destination):
    name = "jetstream"
    in_line = True

    def __init__(self, directory: Path, run: str, seed: int) -> None:
        self.stream = run.upper()
        self.directory = directory / f"{run}-nats"
        self.directory.mkdir()
        self.port = free_port()
        self.process: Optional[subprocess.Popen] = None
        self.start()

    def add(self, rastro: Callable) -> None:
        rastro("destinations", "add", self.name, "--nats-server", f"nats://127.0.0.1:{self.port}",
               "--stream", self.stream, "--from", "1")

    # ---------------------------------------------------------------------------------------------------- the server

    def start(self) -> None:
        command = [program(), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.store),
                   "-l", str(self.directory / "log")]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, cwd=self.directory,
                                        env=clean_environment(self.directory))
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with Connection(self.port) as connection:
                    connection.request("$JS.API.INFO", {})
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"nats-server did not start; see {self.directory / 'log'}")

    @property
    def store(self) -> Path:
        return self.directory / "store"

    def kill(self) -> None:
        """`kill -9`: nothing is flushed."""
        self.process.kill()
        self.process.wait()

    def save(self, to: Path) -> None:
        """A copy of what lies on disk, taken while the server stands still."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            shutil.copytree(self.store, to)
        finally:
            self.process.send_signal(signal.SIGCONT)

    def restore(self, saved: Path) -> None:
        """As if what was acknowledged since had never been forced to disk. The server must not run."""
        shutil.rmtree(self.store)
        saved.rename(self.store)

    def close(self) -> None:
        if self.process is not None:
            self.kill()

    # ---------------------------------------------------------------------------------------------------- the stream

    def newest(self) -> int:
        try:
            with Connection(self.port) as connection:
                answer = connection.request(f"$JS.API.STREAM.MSG.GET.{self.stream}", {"last_by_subj": ">"})
        except OSError:
            return 0
        last = answer.get("message")
        return int(json.loads(base64.b64decode(last["data"]))["id"]) if last else 0

    def missing(self, last: int) -> int:
        return max(0, last - self.newest())

    def deliveries(self) -> list:
        with Connection(self.port) as connection:
            return [message(each.subject.split(".")[1], headers_of(each.headers)[MESSAGE_ID], each.body.decode())
                    for each in connection.read(self.stream)]


class Message(NamedTuple):
    subject: str
    headers: bytes
    body: bytes


class Connection:
    """NATS's protocol, as much as is needed to ask and to read."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
        self.file = self.socket.makefile("rb")
        self.file.readline()
        self.inbox = f"_INBOX.{uuid.uuid4().hex}"
        self.send('CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}')
        self.send(f"SUB {self.inbox}.answer 1")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_) -> None:
        self.file.close()
        self.socket.close()

    def send(self, line: str, body: Optional[bytes] = None) -> None:
        self.socket.sendall(line.encode() + b"\r\n" + (b"" if body is None else body + b"\r\n"))

    def ask(self, subject: str, request: dict) -> None:
        body = json.dumps(request).encode()
        self.send(f"PUB {subject} {self.inbox}.answer {len(body)}", body)

    def request(self, subject: str, request: dict) -> dict:
        self.ask(subject, request)
        for each in self.messages():
            if each.subject == f"{self.inbox}.answer":
                if not each.body:
                    raise ConnectionError("JetStream does not answer yet")
                return json.loads(each.body)
        raise ConnectionError("nats-server hung up")

    def messages(self) -> Iterator[Message]:
        while line := self.file.readline():
            words = line.decode().split()
            if words[0] == "PING":
                self.send("PONG")
            elif words[0] == "-ERR":
                raise ConnectionError(line.decode().strip())
            elif words[0] in ("MSG", "HMSG"):
                size = int(words[-1])
                headers = int(words[-2]) if words[0] == "HMSG" else 0
                content = self.file.read(size + 2)[:size]
                yield Message(words[1], content[:headers], content[headers:])

    def read(self, stream: str) -> list:
        """All that the stream holds, in order; nobody may write to it meanwhile."""
        self.send(f"SUB {self.inbox}.read 2")
        self.ask(f"$JS.API.CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": {
            "deliver_subject": f"{self.inbox}.read", "deliver_policy": "all", "ack_policy": "none"}})
        self.ask(f"$JS.API.STREAM.INFO.{stream}", {})
        count, found = None, []
        for each in self.messages():
            if each.subject != f"{self.inbox}.answer":
                found.append(each)
            else:
                answer = json.loads(each.body)
                if "error" in answer:
                    raise ConnectionError(f"{stream}: {answer['error']}")
                count = answer["state"]["messages"] if "state" in answer else count
            if count == len(found):
                return found
        raise ConnectionError("nats-server hung up")


def headers_of(block: bytes) -> dict:
    lines = block.decode().split("\r\n")[1:]
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}


def program() -> str:
    found = shutil.which("nats-server") or next(
        (f"{place}/nats-server" for place in PLACES if Path(place, "nats-server").exists()), None)
    if found is None:
        raise RuntimeError("nats-server is not here (apt-get install nats-server, or make test-deps)")
    return found
