"""Destinations of the relay that stand outside of what is killed, and the HTTP side that some of them share."""
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, Optional

from deliveries import Deliveries

SLOW_SECONDS = 0.5


class Destination:
    """A destination: how it is added, and what it holds in the end.

    A further kind is a class like those in `sqs.py`, `webhook.py` and `jetstream.py`, and a line in `destinations.py`.
    """

    name = ""
    # Whether all events come in one line, not only those of a product.
    in_line = False

    def add(self, rastro: Callable) -> None:
        """Tells Rastro to relay to it, from the log's beginning on; `rastro` runs a command and returns its output."""
        raise NotImplementedError

    def newest(self) -> int:
        """The highest position that is there."""
        raise NotImplementedError

    def missing(self, last: int) -> int:
        """How many events up to `last` are not there."""
        raise NotImplementedError

    def deliveries(self) -> list:
        """All that it keeps, in its order."""
        raise NotImplementedError

    def dropped(self) -> Optional[int]:
        """How many messages came again and were known by their id; None: it does not tell."""
        return None

    def close(self) -> None:
        """Ends it."""


class Server(ThreadingHTTPServer):
    def handle_error(self, *about) -> None:
        """Clients are killed here: that they are gone is no news."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(*about)


class Receiver(Destination):
    """An HTTP endpoint in this process that writes down what it takes, and misbehaves at random."""

    # How often, of a thousand requests, in each way.
    misbehaviour = {"refuse": 6, "hang up": 4, "lose the answer": 8, "be slow": 4}

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.taken = Deliveries()
        self.server = Server(("127.0.0.1", 0), self.handler())
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, headers: dict, body: bytes) -> tuple:
        """The answer to a request: status, body, and header fields if any; called by one thread at a time."""
        raise NotImplementedError

    def refusal(self) -> tuple:
        """The answer by which nothing was taken."""
        return 503, b""

    def newest(self) -> int:
        return self.taken.newest()

    def missing(self, last: int) -> int:
        return self.taken.missing(last)

    def deliveries(self) -> list:
        return list(self.taken.list)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, headers: dict, body: bytes) -> Optional[tuple]:
        """None: hang up."""
        with self.lock:
            how = self.random.choices((None, *self.misbehaviour), (1000 - sum(self.misbehaviour.values()),
                                                                   *self.misbehaviour.values()))[0]
            if how == "hang up":
                return None
            answer = self.refusal() if how == "refuse" else self.take(headers, body)
        if how == "be slow":
            time.sleep(SLOW_SECONDS)
        return None if how == "lose the answer" else answer

    def handler(self) -> type:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                found = receiver.answer({name.lower(): value for name, value in self.headers.items()}, body)
                if found is None:
                    self.close_connection = True
                    return
                status, text, *fields = found
                self.send_response(status)
                for name, value in {"content-length": str(len(text)), **dict(*fields)}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_) -> None:
                """Says nothing."""

        return Handler
