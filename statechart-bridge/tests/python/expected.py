"""Evaluates the corpus with Python, and writes what came out: `expected.txt`, which the Rust test compares with.

`python3 expected.py` writes the table, `python3 expected.py --check` ends with 1 if it isn't what Python says.
For each case there are two lines: the code, which leaves its result in `r`, and the result as `repr` has it, or `!` for
an error. Line ends in code and results are written as backslash and `n`, backslashes double.
"""

import ast
import pathlib
import sys
import warnings

here = pathlib.Path(__file__).parent
warnings.simplefilter('ignore')
sys.setrecursionlimit(1000)


def expressions():
    """Each expression of the file by itself: those with commas between stand in one line only to be read together."""
    pending = ''
    for line in (here / 'expressions.txt').read_text().split('\n'):
        text = pending + line
        # A text in three quotes and a backslash at the end go on in the next line.
        if text.count('"""') % 2 or line.endswith('\\'):
            pending = text + '\n'
            continue
        pending = ''
        if not text or text.startswith('#'):
            continue
        try:
            tree = ast.parse(text, mode='eval').body
        except SyntaxError:
            yield text
            continue
        if isinstance(tree, ast.Tuple) and not text.startswith('('):
            for element in tree.elts:
                yield ast.get_source_segment(text, element)
        else:
            yield text


def programs():
    """Programs have blank lines between them, and only inside of brackets."""
    program = []
    for line in (here / 'programs.txt').read_text().split('\n') + ['']:
        text = '\n'.join(program)
        if line or text.count('[') != text.count(']'):
            program.append(line)
        elif program:
            yield text
            program = []


def outcome(code):
    names = {}
    try:
        exec(code, names)
        return repr(names['r'])
    except (Exception, RecursionError):
        return '!'


def escaped(text):
    return text.replace('\\', '\\\\').replace('\n', '\\n') + '\n'


codes = ['r = ' + expression for expression in expressions()] + list(programs())
table = ''.join(escaped(code) + escaped(outcome(code)) for code in codes)
path = here / 'expected.txt'
if sys.argv[1:] == ['--check']:
    if path.read_text() != table:
        sys.exit('expected.txt differs from what this Python says')
    print(f'Python {sys.version.split()[0]}: {len(codes)} cases as expected')
else:
    path.write_text(table)
