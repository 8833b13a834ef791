"""Round trips of simpy.io's packets and messages; the jobs of src/channels/mod.rs.

Arguments: level (packets | messages), count, in flight, network (near | select | poll | epoll).
Prints: round trips, ns of CPU, ns.
"""
import sys
import time

from simpy.io.message import Message
from simpy.io.packet import Packet, PacketUTF8

level, count, flight, network = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
if network == 'near':
    from simpy.io.virtual import Environment, TCPSocket

    env = Environment(loopback_latency=lambda: 0)
elif network == 'select':
    from simpy.io.select import Environment, TCPSocket

    env = Environment()
else:
    from simpy.io.poll import Environment, TCPSocket

    env = Environment(type=network)
Layer = Packet if level == 'packets' else PacketUTF8
listener = Layer(TCPSocket.server(env, ('127.0.0.1', 1 if network == 'near' else 0)))
CONTENT = 'ohai'


def server():
    socket = yield listener.accept()
    if level == 'packets':
        for _ in range(count):
            packet = yield socket.read()
            yield socket.write(packet)
    else:
        message = Message(env, socket)
        for _ in range(count):
            request = yield message.recv()
            request.succeed(request.content)


def client():
    socket = Layer(TCPSocket.connection(env, listener.address))
    message = Message(env, socket) if level == 'messages' else None
    done = 0
    while done < count:
        batch = range(done, min(count, done + flight))
        if level == 'packets':
            for number in batch:
                yield socket.write(number.to_bytes(4, 'big'))
            for number in batch:
                assert (yield socket.read()) == number.to_bytes(4, 'big')
        else:
            for reply in [message.send(CONTENT) for _ in batch]:
                assert (yield reply) == CONTENT
        done += len(batch)
    return done


env.process(server())
main = env.process(client())
wall, cpu = time.perf_counter_ns(), time.process_time_ns()
proof = env.run(until=main)
cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
print(proof, cpu, wall)
