"""secsgem's items against ours.

Usage: secsgem_items.py make COUNT   prints COUNT random items, a line each: its bytes in hex, a tab, its text
       secsgem_items.py read         reads lines of bytes in hex; prints its bytes and its text of each, likewise

It has no localized texts (format 0o22), and reads JIS-8 only where it is told to: so not in lists.
"""

import random
import struct
import sys

from secsgem.secs import variables as secs

NUMBERS = {
    secs.U1: (0, 2**8 - 1), secs.U2: (0, 2**16 - 1), secs.U4: (0, 2**32 - 1), secs.U8: (0, 2**64 - 1),
    secs.I1: (-(2**7), 2**7 - 1), secs.I2: (-(2**15), 2**15 - 1), secs.I4: (-(2**31), 2**31 - 1),
    secs.I8: (-(2**63), 2**63 - 1),
}  # fmt: skip
# Its text of an item does not escape quotes, other programs read backslashes as such, and JIS-8 has no tilde.
TEXT = "".join(chr(code) for code in range(128) if chr(code) not in "\"'\\~")
SOURCE = random.Random(30)


class Any(secs.Dynamic):
    """An item of any format, as its lists want to have it: a class that is made without arguments."""

    def __init__(self):
        super().__init__([])


def leaf(nested):
    kinds = [*NUMBERS, secs.F4, secs.F8, secs.Binary, secs.Boolean, secs.String]
    kind = SOURCE.choice(kinds if nested else [*kinds, secs.JIS8])
    count = SOURCE.choice([0, 1, 1, 1, 2, 5, 40, 300])
    if kind in NUMBERS:
        return kind([SOURCE.randint(*NUMBERS[kind]) for _ in range(count)])
    if kind is secs.F4:
        return kind([struct.unpack(">f", struct.pack(">f", SOURCE.uniform(-1e6, 1e6)))[0] for _ in range(count)])
    if kind is secs.F8:
        return kind([SOURCE.uniform(-1, 1) * 10 ** SOURCE.randint(-30, 30) for _ in range(count)])
    if kind is secs.Boolean:
        return kind([SOURCE.random() < 0.5 for _ in range(count)])
    if kind is secs.Binary:
        return kind(bytes(SOURCE.randrange(256) for _ in range(count)))
    return kind("".join(SOURCE.choice(TEXT) for _ in range(count)))


def item(depth, nested=False):
    if depth == 0 or SOURCE.random() < 0.4:
        return leaf(nested)
    return secs.Array(Any, [item(depth - 1, nested=True) for _ in range(SOURCE.randrange(5))])


def read(data):
    """Its untyped reading knows no JIS-8."""
    kind = secs.JIS8() if data[0] >> 2 == secs.JIS8.format_code else Any()
    end = kind.decode(data)
    if end != len(data):
        raise ValueError(f"it read {end} of {len(data)} bytes")
    return kind


def show(item):
    print(item.encode().hex(), " ".join(repr(item).splitlines()), sep="\t")


if sys.argv[1] == "make":
    for number in range(int(sys.argv[2])):
        show(item(number % 5))
else:
    for line in sys.stdin:
        show(read(bytes.fromhex(line)))
