"""Two guests in the example chat room on the given port, with the package websockets.

    chat_guests.py PORT

A line for each check; the first one that fails ends it with exit code 1.
"""

import asyncio
import sys

import websockets
from websockets.exceptions import ConnectionClosedError, InvalidStatus


def check(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: {got!r}, expected {expected!r}")
    print(what)


async def hear(socket):
    return await asyncio.wait_for(socket.recv(), 10)


async def main():
    url = f"ws://127.0.0.1:{sys.argv[1]}/chat"
    async with websockets.connect(f"{url}?name=Ann") as ann:
        check("comes", await hear(ann), "* Ann has come")
        async with websockets.connect(f"{url}?name=B%C3%B6b") as bob:
            check("is seen", [await hear(ann), await hear(bob)], ["* Böb has come"] * 2)
            await ann.send("hello, Wörld")
            check("is heard", [await hear(ann), await hear(bob)], ["Ann: hello, Wörld"] * 2)
            # One message in fragments.
            await bob.send(iter(["in ", "three ", "parts"]))
            check("fragments", [await hear(ann), await hear(bob)], ["Böb: in three parts"] * 2)
            await asyncio.wait_for(await bob.ping(b"there?"), 10)
            print("pong")
            for n in range(200):
                await bob.send(str(n))
            for guest in ann, bob:
                heard = [await hear(guest) for _ in range(200)]
                check("all in order", heard, [f"Böb: {n}" for n in range(200)])
        check("close", (bob.close_code, bob.close_reason), (1000, ""))
        check("goes", await hear(ann), "* Böb has gone")
        try:
            await ann.send("x" * 5000)
            while True:
                await hear(ann)
        except ConnectionClosedError as error:
            check("too large", error.rcvd.code, 1009)
    try:
        headers = {"Sec-WebSocket-Protocol": "none"}
        async with websockets.connect(url, additional_headers=headers) as odd:
            check("an unknown subprotocol", odd.subprotocol, None)
    except InvalidStatus as error:
        sys.exit(f"refused: {error}")


asyncio.run(main())
