"""How does a charging station behave in the browser tests?

A small OCPP 1.6 client of our own on the `websockets` library: it calls, and answers what it is asked with "Accepted".
"""

import json
import queue
import threading
from base64 import b64encode
from contextlib import ExitStack
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

ANSWER_S = 20.0


class Station:
    """A connected station. `asked` holds what the platform asked of it, as (action, payload)."""

    def __init__(self, url: str, identity: str, password: str) -> None:
        credentials = b64encode(f"{identity}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}"}
        self._hang_up = ExitStack()
        self._socket: ClientConnection = self._hang_up.enter_context(
            connect(f"{url}/{identity}", subprotocols=[Subprotocol("ocpp1.6")], additional_headers=headers)
        )
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self.asked: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._calls = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a call and wait for its answer."""
        self._calls += 1
        self._socket.send(json.dumps([2, str(self._calls), action, payload]))
        return self._answers.get(timeout=ANSWER_S)

    def close(self) -> None:
        """Hang up."""
        self._hang_up.close()
        self._reader.join(ANSWER_S)

    def _read(self) -> None:
        try:
            for text in self._socket:
                self._take(json.loads(text))
        except ConnectionClosed:
            return

    def _take(self, message: list[Any]) -> None:
        if message[0] != 2:
            self._answers.put(message[2] if message[0] == 3 else {"error": message[2:]})
            return
        _, message_id, action, payload = message
        self._socket.send(json.dumps([3, message_id, {"status": "Accepted"}]))
        self.asked.put((action, payload))
