"""secsgem as a peer of ours: equipment that listens, or a host that connects.

Usage: secsgem_peer.py passive|active PORT ROUNDS

In each round, which is one connection, it asks for a linktest, S1F1 and loopbacks, prints a line for each check, and ends
with exit code 1 at the first one that fails. What the peer asks, its handlers answer. `passive` prints `port N` when it is
about to listen; with PORT 0 it looks for a free one. A round of `passive` ends when the peer closes, and one of `active`
when all is checked.
"""

import os
import queue
import signal
import socket
import sys
import time

import secsgem.common
import secsgem.gem
import secsgem.hsms
import secsgem.secs
from secsgem.gem.communication_state_machine import CommunicationState

ROLE, PORT, ROUNDS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
LIMIT = 240
# Its send ignores how much was sent, so its own large messages go out only as long as the peer keeps up; 16 MiB - 6 is
# tried once.
SIZES = [1000, 65536, 1 << 20]
LARGEST = (1 << 24) - 6


def end(code):
    """At once: its disable() may wait for ever, and so may its threads."""
    sys.stdout.flush()
    os._exit(code)


def check(what, got, wanted):
    if got != wanted:
        print(f"WRONG: {what}: got {str(got)[:200]!r}, expected {str(wanted)[:200]!r}")
        end(1)
    print(what)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def loopback(handler, message):
    data = handler.settings.streams_functions.decode(message).get()
    return handler.stream_function(2, 26)(data)


def ask(handler, sizes):
    """What this side asks of ours."""
    check("their linktest", handler.protocol.send_linktest_req() is not None, True)
    reply = handler.are_you_there()
    check("their S1F1", reply is not None and (reply.header.stream, reply.header.function), (1, 2))
    for size in sizes:
        data = bytes(index * 7 % 251 for index in range(1000)) * (size // 1000 + 1)
        reply = handler.send_and_waitfor_response(handler.stream_function(2, 25)(data[:size]))
        came = reply is not None and bytes(handler.settings.streams_functions.decode(reply).get())
        check(f"their loopback of {size} bytes", came == data[:size], True)


def main():
    passive = ROLE == "passive"
    port = PORT or free_port()
    mode = secsgem.hsms.HsmsConnectMode.PASSIVE if passive else secsgem.hsms.HsmsConnectMode.ACTIVE
    kind = secsgem.common.DeviceType.EQUIPMENT if passive else secsgem.common.DeviceType.HOST
    settings = secsgem.hsms.HsmsSettings(
        address="127.0.0.1", port=port, connect_mode=mode, device_type=kind, t3=LIMIT, t5=1
    )
    handler = (secsgem.gem.GemEquipmentHandler if passive else secsgem.gem.GemHostHandler)(settings)
    handler.register_stream_function(2, 25, loopback)
    selected, lost = queue.Queue(), queue.Queue()
    handler.protocol.events.communicating += lambda _: selected.put(None)

    def ended(_):
        # It stays COMMUNICATING by itself, and then fails at the next Select.
        if handler.communication_state.current == CommunicationState.COMMUNICATING:
            handler.communication_state.communicationfail()
        lost.put(None)

    handler.protocol.events.disconnected += ended
    if passive:
        print(f"port {port}")
    for number in range(ROUNDS):
        if number == 0:
            handler.enable()
        elif not passive:
            handler.protocol.enable()
        selected.get(timeout=LIMIT)
        print(f"round {number + 1}: selected")
        if not handler.waitfor_communicating(30):
            check("communicating", False, True)
        # Its own messages right after Select meet its own races.
        time.sleep(0.2)
        ask(handler, SIZES + ([] if passive or number else [LARGEST]))
        if passive:
            lost.get(timeout=LIMIT)
        else:
            time.sleep(0.2)
            handler.protocol.disable()
            # The next one comes only when our side listens again.
            time.sleep(0.7)
        print(f"round {number + 1}: over")


# Whatever goes wrong, this program ends.
signal.alarm(LIMIT)
try:
    main()
except BaseException as error:  # noqa: BLE001
    print(f"WRONG: {error!r}")
    end(1)
end(0)
