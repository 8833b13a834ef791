"""A machine of two states in Sismic: plain, with an event out for each one in, or with a guard and an action.

Prints how often it stepped, and what that took in nanoseconds.
"""

import sys
import time

from sismic.interpreter import Interpreter
from sismic.io import import_from_yaml
from sismic.model import Event

kind, count = sys.argv[1], int(sys.argv[2])
WAYS = {
    'plain': 'event: flip',
    'ports': "event: flip\n            action: send('lit')",
    'scripted': 'event: flip\n'
    '            guard: count < 1000000000 and event.mode == 2\n'
    '            action: count += 1',
}
CHART = """
statechart:
  name: toggle
  preamble: count = 0
  root state:
    name: root
    initial: dark
    states:
      - name: dark
        transitions:
          - target: lit
            {way}
      - name: lit
        transitions:
          - target: dark
            {way}
"""

interpreter = Interpreter(import_from_yaml(CHART.format(way=WAYS[kind])))
heard = []
if kind == 'ports':
    interpreter.attach(lambda event: heard.append(event) if event.name == 'event sent' else None)
interpreter.execute()
flip = Event('flip', mode=2)
fired = 0
wall, cpu = time.perf_counter_ns(), time.process_time_ns()
for _ in range(count):
    interpreter.queue(flip)
    for step in interpreter.execute():
        fired += len(step.transitions)
cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
expected = ['root', 'lit' if count % 2 else 'dark']
assert interpreter.configuration == expected, interpreter.configuration
assert kind != 'scripted' or interpreter.context['count'] == count
assert kind != 'ports' or len(heard) == count, len(heard)
print(fired, cpu, wall)
