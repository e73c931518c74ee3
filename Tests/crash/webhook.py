"""An HTTP endpoint that gets events as webhooks, signed as Standard Webhooks says. Shares no code with the server."""
import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Callable

from deliveries import message
from receiver import Receiver


class Endpoint(Receiver):
    name = "webhook"
    # Whatever the endpoint as a whole does not answer costs the relay 5 s, then 10 s: more would be a standstill.
    misbehaviour = {"refuse": 2, "lose the answer": 0.3, "be slow": 4}

    def __init__(self, directory: Path, run: str, seed: int) -> None:
        super().__init__(seed)
        self.key = b""

    def add(self, rastro: Callable) -> None:
        answer = rastro("webhooks", "add", self.name, "--url", f"http://127.0.0.1:{self.port}/events",
                        "--from", "1", "--json")
        self.key = base64.b64decode(json.loads(answer)["secret"].removeprefix("whsec_"))

    def refusal(self) -> tuple:
        return 429, b"", {"retry-after": "0"}

    def take(self, headers: dict, body: bytes) -> tuple:
        signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
        signature = base64.b64encode(hmac.new(self.key, signed, hashlib.sha256).digest()).decode()
        if f"v1,{signature}" not in headers["webhook-signature"].split():
            return 401, b""
        product = json.loads(body)["data"].get("productId")
        group = "log" if product is None else str(product)
        self.taken.add([message(group, headers["webhook-id"], body.decode())])
        return 204, b""
