"""``python -m tcpstack URL script.py args...``: an unchanged program, over this TCP.

``python -m tcpstack URL -m module args...`` runs a module, as ``python -m`` does.
"""

from __future__ import annotations

import os
import runpy
import sys

from ._patched import replace
from ._stack import use

USAGE = """\
usage: python -m tcpstack URL script.py [argument...]
       python -m tcpstack URL -m module [argument...]

Runs a Python program whose TCP sockets are tcpstack's. URL names the network, for example
在 tcpstack 上运行 Python 程序（程序无需改动）。URL 指明所用的网络，例如
    unix:/tmp/net?addr=10.7.0.2/24
"""


def main(arguments: list[str]) -> int:
    """Runs the program that ``arguments`` name; its exit status is the process's."""
    if arguments and arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if len(arguments) < 2 or (arguments[1] == "-m" and len(arguments) < 3):
        print(USAGE, end="", file=sys.stderr)
        return 2
    url, program, *rest = arguments
    try:
        use(url)
    except (ValueError, OSError) as error:
        print(f"tcpstack: {error}", file=sys.stderr)
        return 2
    # For good: the program's threads may outlive it, and the stack is closed when the process ends.
    replace()
    if program == "-m":
        sys.argv = rest
        sys.path[0] = os.getcwd()
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [program, *rest]
        sys.path[0] = os.path.dirname(os.path.abspath(program))
        runpy.run_path(program, run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
