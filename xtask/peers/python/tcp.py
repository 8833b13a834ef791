"""Round trips and bulk over simpy.io's sockets; the jobs of src/networks/mod.rs.

Arguments: job (round-trips | bulk), count, network (near | far | select | poll | epoll). Prints: a proof, ns of CPU, ns.
"""
import random
import sys
import time

job, count, network = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if network in ('near', 'far'):
    from simpy.io.virtual import Environment, TCPSocket

    source = random.Random(1)
    env = Environment(loopback_latency=(lambda: source.uniform(0, 0.1)) if network == 'far' else (lambda: 0))
elif network == 'select':
    from simpy.io.select import Environment, TCPSocket

    env = Environment()
else:
    from simpy.io.poll import Environment, TCPSocket

    env = Environment(type=network)
listener = TCPSocket.server(env, ('127.0.0.1', 0 if network not in ('near', 'far') else 1))
PIECE = 64 * 1024


def read_all(socket, wanted):
    data = b''
    while len(data) < wanted:
        data += yield socket.read(wanted - len(data))
    return data


def write_all(socket, data):
    while data:
        sent = yield socket.write(data)
        data = data[sent:]


def server():
    socket = yield listener.accept()
    if job == 'round-trips':
        for _ in range(count):
            data = yield from read_all(socket, 4)
            yield from write_all(socket, data)
    else:
        left = count
        while left:
            left -= len((yield socket.read(PIECE)))
        yield from write_all(socket, count.to_bytes(8, 'big'))


def client():
    socket = TCPSocket.connection(env, listener.address)
    if job == 'round-trips':
        for number in range(count):
            data = number.to_bytes(4, 'big')
            yield from write_all(socket, data)
            assert (yield from read_all(socket, 4)) == data
        return count
    left = count
    piece = bytes(PIECE)
    while left:
        yield from write_all(socket, piece[:left])
        left -= min(left, PIECE)
    return int.from_bytes((yield from read_all(socket, 8)), 'big')


env.process(server())
main = env.process(client())
wall, cpu = time.perf_counter_ns(), time.process_time_ns()
proof = env.run(until=main)
cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
print(proof, cpu, wall)
