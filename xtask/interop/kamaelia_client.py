"""Kamaelia as a client of our echo server.

Usage: kamaelia_client.py PORT

Prints a line for each check and ends with exit code 1 at the first one that fails.
"""

import os
import sys

from Axon.Component import component
from Axon.Ipc import producerFinished
from Kamaelia.Chassis.Graphline import Graphline
from Kamaelia.Internet.TCPClient import TCPClient

PORT = int(sys.argv[1])


def fail(text):
    print(text, file=sys.stderr, flush=True)
    # The scheduler would take an exception for the end of one component.
    os._exit(1)


class Talk(component):
    """Sends messages of several sizes and waits for each to come back."""

    def main(self):
        for size in [1, 1000, 200000]:
            data = bytes(n % 251 for n in range(size))
            self.send(data, "outbox")
            back = b""
            while len(back) < size:
                while not self.dataReady("inbox"):
                    if self.dataReady("control"):
                        fail(f"the connection ended after {len(back)} of {size} bytes")
                    self.pause()
                    yield 1
                back += self.recv("inbox")
            if back != data:
                fail(f"{size} bytes came back as others")
            print(f"{size} bytes came back", flush=True)
        self.send(producerFinished(self), "signal")
        yield 1


Graphline(
    TALK=Talk(),
    CLIENT=TCPClient("127.0.0.1", PORT),
    linkages={
        ("TALK", "outbox"): ("CLIENT", "inbox"),
        ("CLIENT", "outbox"): ("TALK", "inbox"),
        ("TALK", "signal"): ("CLIENT", "control"),
        ("CLIENT", "signal"): ("TALK", "control"),
    },
).run()
print("closed", flush=True)
