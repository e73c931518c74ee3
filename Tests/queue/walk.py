#!/usr/bin/env python3
"""Real SQS clients against a real server: boto3 and `aws sqs` walk through every FIFO case of the protocol's
specification, and through its errors, each with the documented outcome. Exits 1 when one differs.

Usage: walk.py [--binary PATH] [--only WORD]
"""
import argparse
import sys
import time
import traceback
from pathlib import Path

from cases import clients, errors, fifo, queues, takeover
from server import Server

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", help="the rastro to try; default: the one that was built last")
    parser.add_argument("--only", default="", help="only cases whose name has this word")
    options = parser.parse_args()
    cases = [case for module in (fifo, queues, errors, clients, takeover) for case in module.CASES
             if options.only in case.__doc__]
    failed, started = 0, time.monotonic()
    with Server(find_binary(options.binary)) as server:
        for case in cases:
            failed += not run(case, server)
        status = server.stop()
        if status != 0:
            print(f"✘ the server exited {status} after SIGTERM\n{server.tail()}")
            failed += 1
    print(f"{len(cases)} cases, {failed} failed, {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


def run(case, server: Server) -> bool:
    name = " ".join(case.__doc__.split())
    try:
        case(server)
        print(f"✔ {name}", flush=True)
        return True
    except Exception as error:  # pylint: disable=broad-except
        line = next((frame for frame in reversed(traceback.extract_tb(error.__traceback__)) if "cases" in frame.filename),
                    None)
        where = f" ({Path(line.filename).name}:{line.lineno})" if line else ""
        print(f"✘ {name}{where}\n    {type(error).__name__}: {error}", flush=True)
        return False


def find_binary(named: str) -> str:
    found = [Path(named)] if named else list(ROOT.glob(".build*/*/rastro"))
    found = sorted((path for path in found if path.exists()), key=lambda path: path.stat().st_mtime)
    if not found:
        sys.exit("there is no rastro binary: build it, or name one with --binary")
    return str(found[-1].resolve())


if __name__ == "__main__":
    sys.exit(main())
