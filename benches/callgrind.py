"""What callgrind is told, and reading what it wrote with `--separate-callers`: the cost of each call stack."""

import re
from collections import Counter

# Callgrind counts `rep movsb` as an instruction for each byte, thirty times what a processor takes for
# it: glibc is to copy with wide registers, of which one instruction is one.
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=4000000000:"
                                 "glibc.cpu.x86_rep_stosb_threshold=4000000000"}

# Cycles that an event takes beside the instruction itself, about: a miss of the first level is answered
# by the second, a miss of the last by memory (KCachegrind's cycle estimation).
CYCLES = {"Ir": 1, "I1mr": 10, "D1mr": 10, "D1mw": 10, "ILmr": 100, "DLmr": 100, "DLmw": 100}

# `(12) name` names 12, `(12)` is it again.
NAME = re.compile(r"fn=\((\d+)\)(?: (.*))?$")


def stacks(path, events=CYCLES):
    """Call stack, outermost function first -> cost of its innermost function itself: events by weight."""
    names, found, function, is_call, weights = {}, Counter(), None, False, []
    for line in path.read_text().splitlines():
        if named := NAME.search(line):
            number, name = named.groups()
            if name:
                names[number] = name
            if line.startswith("fn="):
                function = number
        elif line.startswith("events:"):
            weights = [events.get(event, 0) for event in line.split()[1:]]
        elif line.startswith("calls="):
            is_call = True
        elif line[:1] in "0123456789+-*" and line:
            # The line after a call has what the callee cost, which it counts itself.
            if not is_call and function:
                found[function] += sum(int(c) * w for c, w in zip(line.split()[1:], weights))
            is_call = False
    counted = Counter()
    for number, cost in found.items():
        counted[tuple(short(name) for name in reversed(names[number].split("'")))] += cost
    return counted


def short(name):
    """A function's path as one says it: without the parameters of types and without impl blocks."""
    if name.startswith("<"):
        # `<T as Trait>::f` is T's f.
        inner, rest = split_bracket(name)
        name = short(split_top(inner.removeprefix("impl "), " as ")) + rest
    bare, depth = "", 0
    for at, character in enumerate(name):
        if character == "<":
            depth += 1
        elif character == ">" and name[at - 1] != "-":
            depth -= 1
        elif depth == 0:
            bare += character
    return re.sub(r":{3,}", "::", bare).strip(":")


def split_bracket(name):
    """What the first bracket holds, and what follows it."""
    depth = 0
    for at, character in enumerate(name):
        depth += (character == "<") - (character == ">" and name[at - 1] != "-")
        if depth == 0:
            return name[1:at], name[at + 1:]
    return name[1:], ""


def split_top(text, separator):
    """What stands before the separator outside of all brackets."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "<") - (character == ">" and text[at - 1] != "-")
        if depth == 0 and text.startswith(separator, at):
            return text[:at]
    return text
