"""secsgem as a peer of ours: equipment that listens, or a host that connects.

Usage: secsgem_peer.py passive|active PORT ROUNDS

In each round, which is one connection, it asks for a linktest, S1F1 and loopbacks, prints a line for each check, and ends
with exit code 1 at the first one that fails. What the peer asks, its handlers answer. A side that has checked everything
says so by S10F1 (the equipment) or S10F3 (the host), and the active side ends the round when both have.

`passive` prints `port N` when it is about to listen, with PORT 0 for a free one; and `connected` when the peer may
select, `round N: over` when it may connect again.

secsgem 0.3.0 waits for ever where a peer meets its races. Each way around one of them is named here.
"""

import os
import queue
import signal
import socket
import sys
import threading

import secsgem.common
import secsgem.gem
import secsgem.hsms
import secsgem.secs
from secsgem.gem.communication_state_machine import CommunicationState

ROLE, PORT, ROUNDS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PASSIVE = ROLE == "passive"
LIMIT = 400
# 16 MiB - 6 is tried once: it is slow with them.
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
    port = PORT or free_port()
    mode = secsgem.hsms.HsmsConnectMode.PASSIVE if PASSIVE else secsgem.hsms.HsmsConnectMode.ACTIVE
    kind = secsgem.common.DeviceType.EQUIPMENT if PASSIVE else secsgem.common.DeviceType.HOST
    settings = secsgem.hsms.HsmsSettings(
        address="127.0.0.1", port=port, connect_mode=mode, device_type=kind, t3=LIMIT, t5=1, t6=LIMIT
    )
    handler = (secsgem.gem.GemEquipmentHandler if PASSIVE else secsgem.gem.GemHostHandler)(settings)
    # It ignores how much of a piece the socket took. What `select` calls writable has a third of its buffer free: that
    # takes 16 KiB whole, but not always the 1 MiB that it sends otherwise.
    handler.protocol.send_packet_size = 1 << 14
    handler.register_stream_function(2, 25, loopback)
    selected, lost, checked = queue.Queue(), queue.Queue(), queue.Queue()

    def told(handler, _):
        checked.put(None)
        # A host that leaves before this was read would be missed: it waits for the reply.
        return handler.stream_function(10, 4)(0) if PASSIVE else None

    handler.register_stream_function(10, 3 if PASSIVE else 1, told)
    handler.protocol.events.communicating += lambda _: selected.put(None)

    def connected(_):
        # A Select that comes before this is answered, but never applied.
        if PASSIVE:
            print("connected")

    def ended(_):
        # It stays COMMUNICATING by itself, and then fails at the next Select.
        if handler.communication_state.current == CommunicationState.COMMUNICATING:
            handler.communication_state.communicationfail()
        # Of the two threads of a connection it leaves this one running; with the next connection's it would take
        # messages from one queue, in any order.
        threads = handler.protocol._thread
        threads._stop_dispatcher_thread = True
        threads._dispatcher_thread_trigger.set()
        threads._dispatcher_thread.join()
        lost.put(None)

    handler.protocol.events.connected += connected
    handler.protocol.events.disconnected += ended
    if PASSIVE:
        print(f"port {port}")
    for number in range(ROUNDS):
        if number == 0:
            handler.enable()
        elif not PASSIVE:
            handler.protocol.enable()
        selected.get(timeout=LIMIT)
        print(f"round {number + 1}: selected")
        check("communicating", handler.waitfor_communicating(LIMIT), True)
        ask(handler, SIZES + ([] if PASSIVE or number else [LARGEST]))
        text = handler.stream_function(10, 1 if PASSIVE else 3)({"TID": 0, "TEXT": "checked"})
        check("told that all is checked", handler.send_stream_function(text), True)
        # One that leaves while a message of ours is half there hangs: its Separate waits for the thread that waits for
        # the other half.
        checked.get(timeout=LIMIT)
        if not PASSIVE:
            handler.protocol.disable()
        lost.get(timeout=LIMIT)
        # It says that the connection is gone before its thread has ended; then it would end the next one too.
        for thread in threading.enumerate():
            if "tcpConnection_receiver" in thread.name:
                thread.join()
        print(f"round {number + 1}: over")


# Whatever goes wrong, this program ends.
signal.alarm(LIMIT)
try:
    main()
except BaseException as error:  # noqa: BLE001
    print(f"WRONG: {error!r}")
    end(1)
end(0)
