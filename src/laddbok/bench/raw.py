"""What is the least that a message can cost?

A server that keeps nothing: `picows` on uvloop takes the frame, msgspec reads the call's envelope, and the answer is
sent. `python -m laddbok.bench.raw` prints its port and serves until it is ended.
"""

import asyncio

import msgspec
import picows
import uvloop

_ENVELOPE = msgspec.json.Decoder(tuple[int, str, str, msgspec.Raw])


class _Answering(picows.WSListener):
    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.TEXT:
            _, message_id, _, _ = _ENVELOPE.decode(frame.get_payload_as_memoryview())
            transport.send(picows.WSMsgType.TEXT, b'[3,"%b",{}]' % message_id.encode())


def _admit(request: picows.WSUpgradeRequest) -> picows.WSUpgradeResponseWithListener:
    headers = {"Sec-WebSocket-Protocol": request.headers["Sec-WebSocket-Protocol"]}
    return picows.WSUpgradeResponseWithListener(picows.WSUpgradeResponse.create_101_response(headers), _Answering())


async def _main() -> None:
    server = await picows.ws_create_server(_admit, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_main())
