"""What the original's server and client have in common: the objects that both expose."""

import sys

from simpy.io.json import JSON


class Node:
    @JSON.Descriptor
    class rpc(JSON.Accessor):
        @property
        def name(self):
            return self.obj.name

        @property
        def parent(self):
            return self.obj.parent

        def get_child(self, name):
            return self.obj.children[name]

    def __init__(self, name="", *children):
        self.name = name
        self.parent = None
        self.children = {child.name: child for child in children}
        for child in children:
            child.parent = self


def check(what, got, wanted):
    if got != wanted:
        print(f"WRONG: {what}: got {got!r}, expected {wanted!r}")
        sys.exit(1)
    print(f"{what}: {got!r}")
