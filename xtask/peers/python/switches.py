"""What SimPy's processes cost beside timeouts; the scenarios of src/groups/switches.rs.

Arguments: scenario, count. Prints: a proof (the last number that was passed on), ns of CPU, ns.
"""
import sys
import time

import simpy

scenario, count = sys.argv[1], int(sys.argv[2])
env = simpy.Environment()


def events():
    """Two processes; each triggers the other's event and waits for its own."""
    waiting = [env.event(), env.event()]
    last = 0

    def player(own, other):
        nonlocal last
        while True:
            number = yield waiting[own]
            waiting[own] = env.event()
            if number == count:
                last = number
                return
            waiting[other].succeed(number + 1)

    first = env.process(player(0, 1))
    second = env.process(player(1, 0))
    waiting[0].succeed(0)
    yield first | second
    return last


def spawn():
    """A process starts another, and waits for its end."""

    def child(number):
        return number + 1
        yield

    number = 0
    while number < count:
        number = yield env.process(child(number))
    return number


def store():
    """Two processes hand a number to and fro through two stores."""
    there, back = simpy.Store(env), simpy.Store(env)

    def partner():
        while True:
            number = yield there.get()
            yield back.put(number + 1)

    env.process(partner())
    number = 0
    while number < count:
        yield there.put(number)
        number = yield back.get()
    return number


def resource():
    """Two processes request one place, hold it for a while, and release it."""
    place = simpy.Resource(env, capacity=1)
    held = 0

    def user():
        nonlocal held
        for _ in range(count // 2):
            with place.request() as request:
                yield request
                yield env.timeout(1)
                held += 1

    users = [env.process(user()), env.process(user())]
    yield users[0] & users[1]
    return held


main = env.process({'events': events, 'spawn': spawn, 'store': store, 'resource': resource}[scenario]())
wall, cpu = time.perf_counter_ns(), time.process_time_ns()
proof = env.run(until=main)
cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
print(proof, cpu, wall)
