"""The original's client talks to our server.

Usage: oneline_client.py PORT replies|echo|echo-ascii

`replies`: the server answers `cmd01` with `ack` and the rest with `nak - unknown cmd`.
`echo`, `echo-ascii`: it answers each command with itself; `echo-ascii` says that its character set is ascii-strip.

Prints a line for each check and ends with exit code 1 at the first one that fails. At the end it stops the server.
"""

import signal
import sys

from socket_oneline import OnelineClient

PORT = int(sys.argv[1])
MODE = sys.argv[2]


def expect(what, got, wanted):
    if got != wanted:
        print(f"WRONG: {what}: got {got!r}, expected {wanted!r}")
        sys.exit(1)
    print(f"{what}: {got!r}")


def client(name):
    """A new client, connected: its `connect` sends a ping of its own and waits for the pong."""
    it = OnelineClient()
    expect(f"{name} init", it.init(ip_address="127.0.0.1", ip_port=PORT), True)
    expect(f"{name} connect", it.connect(), True)
    return it


def ask(it, command, *wanted):
    """One command (or several, when it holds line feeds), and the replies that must follow."""
    it.send(command)
    for reply in wanted:
        expect(f"reply to {command!r}", it.recv(), reply)


def replies():
    first = client("client 1")
    ask(first, "ping", "pong")
    ask(first, "cmd01", "ack")
    ask(first, "junk", "nak - unknown cmd")
    ask(first, "PING", "nak - unknown cmd")
    ask(first, "", "nak - unknown cmd")
    ask(first, "ping\ncmd01\njunk", "pong", "ack", "nak - unknown cmd")
    first.disconnect()
    expect("client 1 connected", first.connected, False)


def echo(of_accents):
    first = client("client 1")
    ask(first, "as it was sent", "as it was sent")
    ask(first, "h\u00e9llo \u20ac", of_accents)
    ask(first, "pi\u00e9ng", "invalid: ping" if MODE == "echo-ascii" else "pi\u00e9ng")
    ask(first, "ping", "pong")
    first.disconnect()


def main():
    # Whatever goes wrong, this program ends.
    signal.alarm(60)
    if MODE == "replies":
        replies()
    elif MODE == "echo":
        echo("h\u00e9llo \u20ac")
    else:
        # `recv` strips white space at both ends: the server sent a space after it.
        echo("invalid: hllo")
    second = client("client 2")
    ask(second, "ping", "pong")
    second.shutdown()


main()
