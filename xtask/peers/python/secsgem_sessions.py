"""Sessions of secsgem, both ends in one process; the jobs of src/groups/hsms_sessions.rs.

Arguments: how many echoes, their size, how many at once. Prints: echoes, ns of CPU, ns.
"""
import os
import socket
import sys
import threading
import time

import secsgem.common
import secsgem.hsms
import secsgem.secs

count, size, at_once = map(int, sys.argv[1:4])
with socket.socket() as probe:
    probe.bind(('127.0.0.1', 0))
    port = probe.getsockname()[1]


def end_of(mode):
    settings = secsgem.hsms.HsmsSettings(address='127.0.0.1', port=port, connect_mode=mode, t3=120)
    end = secsgem.secs.SecsHandler(settings)
    end.selected = threading.Event()
    end.protocol.events.communicating += lambda _: end.selected.set()
    return end


equipment = end_of(secsgem.hsms.HsmsConnectMode.PASSIVE)
s1f2 = equipment.stream_function(1, 2)
s2f26 = equipment.stream_function(2, 26)
equipment.register_stream_function(1, 1, lambda *_: s1f2())
equipment.register_stream_function(
    2, 25, lambda handler, message: s2f26(handler.settings.streams_functions.decode(message).get())
)
equipment.enable()
time.sleep(0.3)
host = end_of(secsgem.hsms.HsmsConnectMode.ACTIVE)
host.enable()
if not (host.selected.wait(20) and equipment.selected.wait(1)):
    # Its own race: the dialler is selected, the other side never is.
    print('not selected', file=sys.stderr)
    os._exit(1)
time.sleep(0.2)
data = bytes(size)
answered = []


def ask(times):
    for _ in range(times):
        if size:
            reply = host.send_and_waitfor_response(host.stream_function(2, 25)(data))
        else:
            reply = host.are_you_there()
        if reply is not None and len(reply.data) >= size:
            answered.append(1)


ask(1)
answered.clear()
cpu, wall = time.process_time_ns(), time.perf_counter_ns()
threads = [threading.Thread(target=ask, args=(count // at_once,)) for _ in range(at_once)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(answered), time.process_time_ns() - cpu, time.perf_counter_ns() - wall)
sys.stdout.flush()
# Its disable() may wait for ever.
os._exit(0)
