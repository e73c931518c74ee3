"""The kinds of destination that a run relays to, each made anew for it.

The queue of SQS is `sqs.py` and not moto's server: that looks through all messages at every send, so that a thousand
events take it minutes.
"""
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import jetstream
import sqs
import webhook
from server import command

KINDS = {"sqs": sqs.Queue, "jetstream": jetstream.Stream, "webhook": webhook.Endpoint}
DEFAULT = ("sqs", "jetstream")


def add(kinds: list, binary: str, url: str, directory: Path, run: str, seed: int) -> list:
    """Makes one of each kind and tells Rastro to relay to it, from the log's beginning on."""
    made: list = []
    try:
        for kind in kinds:
            made.append(KINDS[kind](directory, run, seed))
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda each: each.add(partial(command, binary, url, directory)), made))
    except BaseException:
        close(made)
        raise
    return made


def close(made: list) -> None:
    for each in made:
        each.close()
