"""Machines of two states in Sismic. Prints by how many bytes a process grows for each."""

import resource
import sys

from sismic.interpreter import Interpreter
from sismic.io import import_from_yaml

count = int(sys.argv[1])
CHART = import_from_yaml("""
statechart:
  name: toggle
  root state:
    name: root
    initial: dark
    states:
      - name: dark
        transitions:
          - target: lit
            event: flip
      - name: lit
        transitions:
          - target: dark
            event: flip
""")


def machine():
    interpreter = Interpreter(CHART)
    interpreter.execute()
    return interpreter


def resident():
    with open('/proc/self/statm') as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


warm = [machine() for _ in range(20)]
before = resident()
machines = [machine() for _ in range(count)]
after = resident()
assert all(machine.configuration == ['root', 'dark'] for machine in machines)
print((after - before) // count)
