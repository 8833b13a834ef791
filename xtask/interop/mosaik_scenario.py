"""Runs a scenario of mosaik 3 with the simulator that listens on the given address, or that is started by the given command.

    mosaik_scenario.py connect HOST:PORT    with mosaik_simulator
    mosaik_scenario.py cmd COMMAND
    mosaik_scenario.py reverse HOST:PORT    with mosaik_controller, which asks mosaik in return

A line for each check; the first one that fails ends it with exit code 1.
"""

import sys
import warnings

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
        for attr, values in inputs["monitor"].items():
            for source, value in values.items():
                seen.setdefault((source, attr), []).append((time, value))
        return None


class Tanks(mosaik_api_v3.Simulator):
    """Their level rises by 10 each step; notes the set points that it is given."""

    def __init__(self):
        super().__init__(
            {"type": "time-based", "models": {"Tank": {"public": True, "params": [], "attrs": ["level", "setpoint"]}}}
        )
        self.level = 0

    def create(self, num, model):
        return [{"eid": "tank", "type": model}]

    def step(self, time, inputs, max_advance):
        seen.setdefault("setpoints", []).append(inputs.get("tank", {}).get("setpoint"))
        self.level = time * 10
        return time + 1

    def get_data(self, outputs):
        return {eid: {attr: self.level for attr in attrs} for eid, attrs in outputs.items()}


def check(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: {got!r}, expected {expected!r}")
    print(what)


def world_with(name, config):
    others = {other: {"python": f"__main__:{other}"} for other in ("Collector", "Tanks")}
    return mosaik.World({name: config, **others}, skip_greetings=True)


def count(counters):
    with world_with("Counters", counters) as world:
        sim = world.start("Counters", sim_id="C")
        (plain,) = sim.Counter.create(1)
        started, _ = sim.Counter.create(2, init=40)
        check("entities", [plain.full_id, started.full_id], ["C.Counter-0", "C.Counter-1"])
        monitor = world.start("Collector").Monitor()
        mosaik.util.connect_many_to_one(world, [plain, started], monitor, "x")
        world.run(until=UNTIL, print_progress=False)
    times = range(UNTIL)
    check("counts up", seen["C.Counter-0", "x"], [(t, t + 1) for t in times])
    check("counts up from init", seen["C.Counter-1", "x"], [(t, t + 41) for t in times])


def control(config):
    """All that a simulator may ask at each step, and what mosaik refuses."""
    with world_with("Controllers", config) as world:
        tank = world.start("Tanks", sim_id="T").Tank()
        other = world.start("Tanks", sim_id="O").Tank()
        sim = world.start("Controllers", sim_id="R")
        controller, refused = sim.Controller(watch="Tank", factor=2.5), sim.Controller(watch="Tank")
        monitor = world.start("Collector").Monitor()
        world.connect(tank, controller, "level", async_requests=True)
        world.connect(other, refused, "level")
        world.connect(controller, monitor, "report", "refused")
        world.connect(refused, monitor, "refused")
        world.run(until=UNTIL, print_progress=False)
    reports = [report for _, report in seen["R.Controller-0", "report"]]
    # mosaik keeps the values of the time of the asker's step before; at the first one it asks the tank itself.
    levels = [0.0] + [t * 10.0 for t in range(UNTIL - 1)]
    check("get_data", [report["T.tank"] for report in reports], levels)
    # Only what is connected and a tank is watched; the graph has both tanks, both controllers and the monitor.
    check("get_related_entities", [sorted(report) for report in reports], [["T.tank", "entities", "progress"]] * UNTIL)
    check("get_related_entities of all", {report["entities"] for report in reports}, {5})
    progress = [report["progress"] for report in reports]
    fine = progress == sorted(progress) and 0 <= progress[0] < progress[-1] <= 100
    check(f"get_progress ({progress[0]} to {progress[-1]} %)", fine, True)
    # The other tank is given nothing.
    given = [setpoint for setpoint in seen.pop("setpoints") if setpoint]
    check("set_data", given, [{"R.Controller-0": level * 2.5} for level in levels[:-1]])
    check("nothing is refused", {text for _, text in seen["R.Controller-0", "refused"]}, {None})
    (text,) = {text for _, text in seen["R.Controller-1", "refused"]}
    check("a refusal is heard", text.split(" from ")[0], "ScenarioError: Async. requests not enabled for the connection")


def wake(config):
    """Events, which only scenarios in real time have."""
    for rt_factor in None, 0.02:
        with world_with("Controllers", config) as world:
            alarm = world.start("Controllers", sim_id="A").Alarm(first=3, every=4)
            world.connect(alarm, world.start("Collector").Monitor(), "rung", "refused")
            world.run(until=12, rt_factor=rt_factor, print_progress=False)
        rung, refused = seen.pop(("A.Alarm-0", "rung")), seen.pop(("A.Alarm-0", "refused"))
        if rt_factor:
            check("set_event", rung, [(0, 0), (3, 1), (7, 2), (11, 3)])
            check("no event is refused", {text for _, text in refused}, {None})
        else:
            check("an event without real time", rung, [(0, 0)])
            check("is refused", "in non-real-time mode" in refused[0][1], True)


def main():
    # Asking in return is called out of date, and a slow machine is no matter of ours.
    warnings.simplefilter("ignore")
    way, where = sys.argv[1:]
    if way == "reverse":
        control({"connect": where})
        wake({"connect": where})
    else:
        count({"connect": where} if way == "connect" else {"cmd": where})


if __name__ == "__main__":
    main()
