"""Processes that loop over timeouts in SimPy; the models of src/simulators/mod.rs.

Arguments: processes, wait (random | unit | own), warm, end. Prints: events, sum of their times, ns of CPU, ns.
"""
import sys
import time

import simpy

MASK = (1 << 64) - 1
processes, wait, warm, end = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
events = times = 0


def random_delays(process):
    random = (process * 0x9E3779B97F4A7C15) & MASK | 1
    while True:
        random ^= random << 13 & MASK
        random ^= random >> 7
        random ^= random << 17 & MASK
        yield 2 * (1 + (random >> 32) % 1000)


def process_random(env, process):
    global events, times
    # The delays are made beforehand: the generator of random numbers isn't what is measured.
    count = end // 1001 * 2 + 100
    source = random_delays(process)
    delays = [next(source) for _ in range(count)]
    for delay in delays:
        yield env.timeout(delay)
        events += 1
        times += env.now


def process_fixed(env, delay):
    global events, times
    while True:
        yield env.timeout(delay)
        events += 1
        times += env.now


env = simpy.Environment()
for process in range(processes):
    if wait == 'random':
        env.process(process_random(env, process))
    else:
        env.process(process_fixed(env, 2 if wait == 'unit' else 2 * (501 + process)))
env.run(until=warm)
events = times = 0
wall, cpu = time.perf_counter_ns(), time.process_time_ns()
env.run(until=end)
cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
print(events, times & MASK, cpu, wall)
