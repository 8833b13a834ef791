"""The original's server, for our client to talk to.

Prints `port N` when it listens, then `rx TEXT` or `rx-invalid TEXT` (TEXT as JSON) for each command that reaches its
callback, and `down` after a `shutdown`, with exit code 0.
"""

import json
import signal
import socket
import sys
import time

from socket_oneline import OnelineServer

SERVER = OnelineServer()

ANSWERS = {
    "cmd01": ["ack"],
    "accents": ["h\u00e9"],
    "three": ["one", "two", "three"],
    "spaces": ["  kept as sent  "],
}


def say(line):
    print(line, flush=True)


def callback(command, is_invalid):
    say(("rx-invalid " if is_invalid else "rx ") + json.dumps(command))
    for answer in ANSWERS.get(command, ["nak - unknown cmd"]):
        SERVER.send(answer)


def free_port():
    """The original cannot tell which port it got, so a free one is looked up before."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    # Whatever goes wrong, this program ends.
    signal.alarm(60)
    for _ in range(5):
        port = free_port()
        SERVER.start(ip_address="127.0.0.1", ip_port=port, callback=callback)
        # It returns before it listens, and tells nobody when that fails. To try it by connecting would not do: a client
        # that leaves without `disconnect` blocks it for ever.
        time.sleep(0.3)
        if SERVER.is_running:
            break
    else:
        say("could not listen")
        sys.exit(1)
    say(f"port {port}")
    while SERVER.is_running:
        time.sleep(0.05)
    SERVER.term()
    say("down")


main()
