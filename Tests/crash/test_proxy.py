#!/usr/bin/env python3
"""Shows that the proxy knows a commit wherever the network splits it, and takes nothing else for one."""
import struct
import sys

from proxy import FrontendParser


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def startup(code: int, body: bytes = b"") -> bytes:
    return struct.pack("!II", len(body) + 8, code) + body


def parse(name: bytes, text: bytes) -> bytes:
    return message(b"P", name + b"\0" + text + b"\0\0\0")


def bind(name: bytes) -> bytes:
    return message(b"B", b"\0" + name + b"\0\0\0\0\0\0\0")


EXECUTE, SYNC = message(b"E", b"\0\0\0\0\0"), message(b"S", b"")
BEGINNING = startup(80877103) + startup(196608, b"user\0rastro\0\0")
PREPARED = (parse(b"c", b"-- Commits.\ncommit\n") + parse(b"f", b"select p\nfrom append_fetches($1::bigint)")
            + parse(b"i", b"insert into t select 'commit'") + SYNC)
# What is sent before the commit, the message that commits, what follows it in the same flight.
FLIGHTS = {
    "a prepared commit": (BEGINNING + PREPARED + bind(b"i") + EXECUTE, bind(b"c"), EXECUTE + SYNC),
    "a batch of fetches": (BEGINNING + PREPARED, bind(b"f"), EXECUTE + SYNC),
    "a simple commit": (BEGINNING + message(b"Q", b"select 'commit'\0"), message(b"Q", b"COMMIT;\0"), b""),
    "an unnamed commit": (BEGINNING + parse(b"", b"commit"), bind(b""), EXECUTE + SYNC),
    "no commit": (BEGINNING + PREPARED + bind(b"i") + EXECUTE + SYNC + message(b"Q", b"select 1\0"), None, b""),
    "a name given anew": (BEGINNING + PREPARED + parse(b"c", b"select 1") + bind(b"c") + EXECUTE + SYNC, None, b""),
}


def wrong(before: bytes, commit: bytes, after: bytes, split: int) -> bool:
    """Whether the parser, given the flight in two pieces, finds the commit anywhere but where it is."""
    whole, parser = before + (commit or b"") + after, FrontendParser()
    passed = b""
    for piece in (whole[:split], whole[split:]):
        ready, found, rest = parser.feed(piece, watch=True)
        passed += ready
        if found is not None:
            return found != commit or passed != before or not after.startswith(rest)
    return commit is not None or passed + parser.buffer != whole


def missed() -> list:
    return [f"{name}, split at byte {split}" for name, flight in FLIGHTS.items()
            for split in range(sum(len(part or b"") for part in flight) + 1) if wrong(*flight, split)]


if __name__ == "__main__":
    failures = missed()
    for failure in failures:
        print(f"FAILED  {failure}")
    print(f"{len(FLIGHTS)} flights, {len(failures)} failed")
    sys.exit(1 if failures else 0)
