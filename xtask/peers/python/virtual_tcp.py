"""Round trips and bulk over simpy.io's virtual network; the jobs of src/networks/mod.rs.

Arguments: job (round-trips | bulk), count, latency (near | far). Prints: a proof, ns of CPU, ns.
"""
import random
import sys
import time

from simpy.io.virtual import Environment, TCPSocket

job, count, far = sys.argv[1], int(sys.argv[2]), sys.argv[3] == 'far'
source = random.Random(1)
env = Environment(loopback_latency=(lambda: source.uniform(0, 0.1)) if far else (lambda: 0))
listener = TCPSocket.server(env, ('127.0.0.1', 1))
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
    socket = TCPSocket.connection(env, ('127.0.0.1', 1))
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
