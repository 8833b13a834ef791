"""The channel of mosaik-api-v3 against the example simulator on the given address: what mosaik itself sends, and what fails.

    mosaik_channel.py HOST:PORT

A line for each check; the first one that fails ends it with exit code 1.
"""

import asyncio
import sys

from mosaik_api_v3.connection import Channel, RemoteException


def check(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: {got!r}, expected {expected!r}")
    print(what)


async def failure(channel, content):
    try:
        value = await channel.send(content)
    except RemoteException as error:
        return error.remote_type, error.remote_msg
    sys.exit(f"{content!r} did not fail: {value!r}")


async def main():
    host, port = sys.argv[1].rsplit(":", 1)
    channel = Channel(*await asyncio.open_connection(host, int(port)), name="ours")
    early = await failure(channel, ["create", [1, "Counter"], {}])
    check("a failure before init", early, ("RuntimeError", "`create` before `init`"))
    meta = await channel.send(["init", ["Counters-0"], {"time_resolution": 1.0}])
    model = {"public": True, "params": ["init"], "attrs": ["x"]}
    expected = {"api_version": "3.0", "type": "time-based", "models": {"Counter": model}, "extra_methods": []}
    check("meta", meta, expected)
    failed = await failure(channel, ["create", [1, "Zähler"], {}])
    check("a failure with letters", failed, ("ValueError", "there is no model `Zähler`"))
    failed = await failure(channel, ["create", ["one", "Counter"], {}])
    check("a failure of types", failed[0], "TypeError")
    failed = await failure(channel, ["reset", [], {}])
    check("a failure of names", failed, ("AttributeError", "this simulator has no method `reset`"))
    made = await channel.send(["create", [2, "Counter"], {"init": 7}])
    check("create", made, [{"eid": f"Counter-{n}", "type": "Counter"} for n in range(2)])
    check("setup_done", await channel.send(["setup_done", [], {}]), None)
    steps = await asyncio.gather(*(channel.send(["step", [t, {}, 200], {}]) for t in range(100)))
    check("a hundred requests at once", steps, list(range(1, 101)))
    data = await channel.send(["get_data", [{"Counter-1": ["x"]}], {}])
    check("get_data", data, {"Counter-1": {"x": 107}})
    check("stop", await channel.send(["stop", [], {}]), None)
    await channel.close()


asyncio.run(main())
