"""Runs the scenarios under the SimPy that is installed (4.1.2), and looks for each one's log in the Rust tests.

`python check.py` prints what no test expects, but for the defects of SimPy that ours must not have; it ends with 1 then.
"""

import pathlib
import re
import sys

import simpy

import core
import resources

here = pathlib.Path(__file__).parent
tests = ''.join(path.read_text() for path in sorted(here.parent.glob('*.rs')))
# Long strings go on in the next line; Rust writes `true` for `True`.
tests = re.sub(r'\\\n\s*', '', tests).lower()
missing = 0
for module in (core, resources):
    for name, scenario in list(vars(module).items()):
        code = getattr(scenario, '__code__', None)
        if code is None or code.co_varnames[:2] != ('env', 'log') or '_defect_' in name:
            continue
        log = []
        scenario(simpy.Environment(), log)
        log = ' | '.join(log)
        if f'"{log.lower()}"' not in tests:
            missing += 1
            print(f'{module.__name__}.{name}: {log}')
print(f'SimPy {simpy.__version__}: {missing} logs are in no test')
sys.exit(missing > 0)
