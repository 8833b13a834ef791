"""The original as a server for our client.

Usage: simpy_io_server.py packet|message|rpc

Prints `port N`, serves one connection, and prints `down` when that has ended.
"""

import signal
import sys

from simpy.io import select as backend
from simpy.io.json import JSON
from simpy.io.message import Message
from simpy.io.packet import PacketUTF8
from simpy_io_common import Node

LEVEL = sys.argv[1]


class Greeter(Node):
    @JSON.Descriptor
    class rpc(Node.rpc):
        pass

    @rpc
    def greet(self, n, k=0):
        return f"Hi {n} {k}"

    @rpc
    def __call__(self, what):
        return f"call {what}"

    @rpc.process
    def slow(self, what):
        yield ENV.timeout(0.01)
        return f"slow {what}"

    @rpc
    def child(self):
        return self.children["b"]

    @rpc
    def back(self, it):
        return it is self.children["b"]

    @rpc
    def set_callback(self, callback):
        self.callback = callback

    @rpc.process
    def trigger(self, value):
        return (yield self.callback(value))


def packets(sock):
    while True:
        packet = yield sock.read()
        yield sock.write(packet)


def answer(message, request):
    reply = yield message.send("who?")
    request.succeed(reply)


def messages(message):
    held = []
    while True:
        request = yield message.recv()
        if request.content == "fail":
            request.fail(ValueError("nope"))
        elif request.content == "ask back":
            ENV.process(answer(message, request))
        elif request.content == "hold":
            held.append(request)
            if len(held) == 3:
                for number, waiting in enumerate(reversed(held)):
                    waiting.succeed(number)
        else:
            request.succeed(request.content)


def serve(server):
    sock = yield server.accept()
    try:
        if LEVEL == "packet":
            yield ENV.process(packets(sock))
        elif LEVEL == "message":
            yield ENV.process(messages(Message(ENV, sock)))
        else:
            root = Greeter("", Greeter("a", Greeter("x")), Greeter("b"))
            rpc = JSON(sock, root.rpc)
            yield rpc._handler
    except ConnectionResetError:
        # How the original tells the end of a connection.
        pass


# Whatever goes wrong, this program ends.
signal.alarm(60)
ENV = backend.Environment()
SERVER = PacketUTF8(backend.TCPSocket.server(ENV, ("127.0.0.1", 0)))
print(f"port {SERVER.address[1]}")
ENV.run(until=ENV.process(serve(SERVER)))
print("down")
