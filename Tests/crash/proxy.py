"""A TCP proxy between a server and PostgreSQL that can cut the connection exactly at a commit.

It reads the frontend's messages (PostgreSQL's protocol 3) far enough to know a COMMIT, as a simple query or as a
prepared statement, and a batch that commits by itself (`append_fetches`). Armed, it cuts the next one:

  before  the commit never reaches PostgreSQL
  after   it reaches it, its answer never comes back
  late    the server sees the connection lost at once, the commit reaches PostgreSQL some time later

It can also hold back all that the server says, and let it through later.
"""
import socket
import struct
import threading
import time
from typing import Optional

MODES = ("before", "after", "late")
NO_TYPE_CODES = (80877103, 80877104)  # SSLRequest, GSSENCRequest: a startup packet follows
HOLD_SECONDS = 2.0


class Proxy:
    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.armed: Optional[tuple] = None
        self.fired = threading.Event()
        self.links: set = set()
        self.flows = threading.Event()
        self.flows.set()
        threading.Thread(target=self.accept, daemon=True).start()

    def arm(self, mode: str, delay: float = 0.0) -> None:
        with self.lock:
            self.fired.clear()
            self.armed = (mode, delay)

    def disarm(self) -> None:
        with self.lock:
            self.armed = None

    def hold(self) -> None:
        """From here on nothing that the server says reaches PostgreSQL; it sees no connection lost."""
        self.flows.clear()

    def let_through(self) -> None:
        """What was held back arrives, also where the server has given the connection up since."""
        self.flows.set()

    def take(self) -> Optional[tuple]:
        """The armed cut, for the one link that comes first."""
        with self.lock:
            cut, self.armed = self.armed, None
            if cut:
                self.fired.set()
            return cut

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            Link(self, client).start()

    def close(self) -> None:
        self.listener.close()
        self.let_through()
        for link in list(self.links):
            link.close()


class Link:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self.proxy, self.client = proxy, client
        self.upstream: Optional[socket.socket] = None
        self.parser = FrontendParser()
        self.is_cut = False

    def start(self) -> None:
        try:
            self.upstream = socket.create_connection(("127.0.0.1", self.proxy.target_port), timeout=5)
        except OSError:
            self.client.close()
            return
        self.upstream.settimeout(None)
        for side in (self.client, self.upstream):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.proxy.links.add(self)
        threading.Thread(target=self.pump_requests, daemon=True).start()
        threading.Thread(target=self.pump_answers, daemon=True).start()

    def pump_requests(self) -> None:
        try:
            while data := self.client.recv(65536):
                if self.forward(data):
                    return
        except OSError:
            pass
        self.close()

    def forward(self, data: bytes) -> bool:
        """Hands on what was sent; true when the connection was cut instead."""
        while data:
            ready, commit, rest = self.parser.feed(data, watch=self.proxy.armed is not None)
            self.proxy.flows.wait()
            self.upstream.sendall(ready)
            if commit is None:
                return False
            cut = self.proxy.take()
            if cut:
                self.cut(commit + rest, *cut)
                return True
            self.upstream.sendall(commit)
            data = rest
        return False

    def pump_answers(self) -> None:
        try:
            while data := self.upstream.recv(65536):
                if not self.is_cut:
                    self.client.sendall(data)
        except OSError:
            pass
        if not self.is_cut:
            self.close()

    def cut(self, commit: bytes, mode: str, delay: float) -> None:
        self.is_cut = True
        if mode != "before":
            commit += self.unread()
        shut(self.client)
        if mode == "after":
            self.upstream.sendall(commit)
            time.sleep(HOLD_SECONDS)
        elif mode == "late":
            time.sleep(delay)
            self.upstream.sendall(commit)
            time.sleep(HOLD_SECONDS)
        self.close()

    def unread(self) -> bytes:
        """What the client has sent besides, up to its Sync: it sends no more before it was answered."""
        data = b""
        self.client.settimeout(0.02)
        try:
            while more := self.client.recv(65536):
                data += more
        except OSError:
            pass
        return data

    def close(self) -> None:
        self.proxy.links.discard(self)
        for side in (self.client, self.upstream):
            if side is not None:
                shut(side)


class FrontendParser:
    """Splits what a client sends into messages and recognises a commit."""

    def __init__(self) -> None:
        self.buffer = b""
        self.is_started = False
        self.committing: set = set()

    def feed(self, data: bytes, watch: bool) -> tuple:
        """What may go on, the message that commits (None without one, or when nobody watches), and what follows it."""
        self.buffer += data
        offset = 0
        while (size := self.size_at(offset)) is not None and offset + size <= len(self.buffer):
            message = self.buffer[offset:offset + size]
            if self.commits(message) and watch:
                ready, rest, self.buffer = self.buffer[:offset], self.buffer[offset + size:], b""
                return ready, message, rest
            offset += size
        ready, self.buffer = self.buffer[:offset], self.buffer[offset:]
        return ready, None, b""

    def size_at(self, offset: int) -> Optional[int]:
        start = offset + (1 if self.is_started else 0)
        if len(self.buffer) < start + 4:
            return None
        return (1 if self.is_started else 0) + struct.unpack_from("!I", self.buffer, start)[0]

    def commits(self, message: bytes) -> bool:
        if not self.is_started:
            self.is_started = struct.unpack_from("!I", message, 4)[0] not in NO_TYPE_CODES
            return False
        kind = message[:1]
        if kind == b"Q":
            return is_commit(message[5:])
        if kind == b"P":
            name, text = message[5:].split(b"\0", 2)[:2]
            (self.committing.add if is_commit(text) else self.committing.discard)(name)
        elif kind == b"B":
            return message[5:].split(b"\0", 2)[1] in self.committing
        return False


def is_commit(text: bytes) -> bool:
    lines = [line for line in text.lower().splitlines() if not line.lstrip().startswith(b"--")]
    statement = b" ".join(lines).strip(b" \0;")
    return statement == b"commit" or b"from append_fetches(" in statement


def shut(side: socket.socket) -> None:
    try:
        side.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    side.close()
