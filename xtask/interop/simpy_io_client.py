"""The original as a client of our server.

Usage: simpy_io_client.py packet|message|rpc PORT

Prints a line for each check and ends with exit code 1 at the first one that fails.
"""

import signal
import sys

from simpy.io import select as backend
from simpy.io.json import JSON
from simpy.io.message import Message
from simpy.io.network import RemoteException
from simpy.io.packet import PacketUTF8
from simpy_io_common import Node, check

LEVEL = sys.argv[1]
PORT = int(sys.argv[2])


class Client(Node):
    @JSON.Descriptor
    class rpc(Node.rpc):
        pass

    @rpc
    def callback(self, value):
        return f"called back with {value}"


def packets(sock):
    for packet in ["ohai", "", "Gr\u00fc\u00dfe", "x" * 16384]:
        yield sock.write(packet)
        check(f"a packet of {len(packet)}", (yield sock.read()), packet)


def answer_who(message):
    request = yield message.recv()
    check("the server asks", request.content, "who?")
    request.succeed("me")


def failure(event):
    try:
        yield event
    except RemoteException as error:
        return error.remote_traceback
    return None


def messages(sock):
    message = Message(ENV, sock)
    for content in ["ohai", {"\u00e4": [1, 2.5, None, True]}, float("inf"), "\ud800", 1 << 100, [], ""]:
        check("an echo", (yield message.send(content)), content)
    check("a failure", (yield from failure(message.send("fail"))), "ValueError: nope\n")
    held = [message.send("hold") for _ in range(3)]
    for wanted, reply in zip([2, 1, 0], held):
        check("replies out of order", (yield reply), wanted)
    ENV.process(answer_who(message))
    check("a request the other way", (yield message.send("ask back")), "me")


def calls(sock):
    client = Client()
    remote = JSON(sock, client.rpc).remote
    check("a call", (yield remote.greet(1, k=2)), "Hi 1 2")
    check("the root itself", (yield remote("T")), "call T")
    check("a child's child", (yield remote.a.x.greet(5)), "Hi 5 0")
    check("a child itself, as the original calls it", (yield remote.a("Q")), "call Q")
    check("a process", (yield remote.slow("S")), "slow S")
    child = yield remote.child()
    check("an object as the reply", child._path, "b")
    check("it comes home", (yield remote.back(child)), True)
    check("the root comes home", (yield remote.back(remote)), False)
    nope = yield from failure(remote.nope())
    check("no such path", nope, "RuntimeError: Failed to resolve path nope\n")
    yield remote.set_callback(client.callback)
    check("a callback", (yield remote.trigger("v")), "called back with v")


# Whatever goes wrong, this program ends.
signal.alarm(60)
ENV = backend.Environment()
SOCK = PacketUTF8(backend.TCPSocket.connection(ENV, ("127.0.0.1", PORT)))
WORK = {"packet": packets, "message": messages, "rpc": calls}[LEVEL]
ENV.run(until=ENV.process(WORK(SOCK)))
