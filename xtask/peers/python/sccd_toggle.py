"""A model of two states in the original SCCD: by its core alone, or through its controller.

The model is compiled by the original's compiler. Prints how many transitions were taken, and what that took in
nanoseconds.
"""

import contextlib
import importlib.util
import io
import os
import sys
import tempfile
import time

source, model, way, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
sys.path.insert(0, source)

from sccd.compiler import sccdc
from sccd.runtime.statecharts_core import Event, EventLoop

with tempfile.TemporaryDirectory() as folder:
    xml, code = os.path.join(folder, 'model.xml'), os.path.join(folder, 'model.py')
    with open(xml, 'w') as file:
        file.write(model)
    sys.argv = ['sccdc', '-p', 'eventloop', '-o', code, xml]
    with contextlib.redirect_stdout(io.StringIO()):
        sccdc.main()
    spec = importlib.util.spec_from_file_location('model', code)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

due = []


def schedule(callback, wait, behind=False):
    due.append(callback)
    return len(due)


controller = module.Controller(EventLoop(schedule, lambda _: due.clear()))
outputs = controller.addOutputListener('out')
controller.start()
parameters = [2] if 'mode' in model else []
instance = next(iter(controller.object_manager.instances))
wall, cpu = time.perf_counter_ns(), time.process_time_ns()
if way == 'core':
    flip = Event('flip')
    for _ in range(count):
        instance.addEvent(flip)
        instance.step()
else:
    for _ in range(count):
        controller.addInput(Event('flip', 'in', parameters))
        while due:
            due.pop()()
cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
assert instance.inState(['/on' if count % 2 else '/off'])
done = count
if parameters:
    done = instance.count
elif way == 'controller':
    done = 0
    while outputs.fetch(0) is not None:
        done += 1
print(done, cpu, wall)
