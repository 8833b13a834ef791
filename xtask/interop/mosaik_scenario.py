"""Runs a scenario of mosaik 3 with the simulator that listens on the given address, or that is started by the given command.

    mosaik_scenario.py connect HOST:PORT
    mosaik_scenario.py cmd COMMAND

A line for each check; the first one that fails ends it with exit code 1.
"""

import sys

import mosaik
import mosaik.util
import mosaik_api_v3

UNTIL = 10
seen = {}


class Collector(mosaik_api_v3.Simulator):
    """Notes what it gets."""

    def __init__(self):
        super().__init__(
            {"type": "event-based", "models": {"Monitor": {"public": True, "any_inputs": True, "params": [], "attrs": []}}}
        )

    def create(self, num, model):
        return [{"eid": "monitor", "type": model}]

    def step(self, time, inputs, max_advance):
        for source, value in inputs["monitor"]["x"].items():
            seen.setdefault(source, []).append((time, value))
        return None


def check(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: {got!r}, expected {expected!r}")
    print(what)


def main():
    way, where = sys.argv[1:]
    counters = {"connect": where} if way == "connect" else {"cmd": where}
    config = {"Counters": counters, "Collector": {"python": "__main__:Collector"}}
    with mosaik.World(config, skip_greetings=True) as world:
        sim = world.start("Counters", sim_id="C")
        (plain,) = sim.Counter.create(1)
        started, _ = sim.Counter.create(2, init=40)
        check("entities", [plain.full_id, started.full_id], ["C.Counter-0", "C.Counter-1"])
        monitor = world.start("Collector").Monitor()
        mosaik.util.connect_many_to_one(world, [plain, started], monitor, "x")
        world.run(until=UNTIL, print_progress=False)
    times = range(UNTIL)
    check("counts up", seen["C.Counter-0"], [(t, t + 1) for t in times])
    check("counts up from init", seen["C.Counter-1"], [(t, t + 41) for t in times])


if __name__ == "__main__":
    main()
