"""Runs: what happened between some hosts, to look at in a notebook and to compute with.

A run is played from a lesson, or read from what programs recorded with ``events=FILE``; it draws itself in
Jupyter. Its data are those of docs/schema/run.schema.json, as plain dictionaries and lists.

>>> import tcpstack
>>> run = tcpstack.Run.lesson(1, language="en")
>>> [host["name"] for host in run.hosts]
['client', 'server']
>>> first = run.flights[0]
>>> run.events[first["sent"]]["kind"]["flags"], first["fate"]
('SYN', 'arrived')
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, Protocol

from . import _tcpstack
from ._stack import Event

#: What ``save`` writes, by the ending of the file.
_ENDINGS = ".html, .svg, .mmd, .txt, .json, .pcapng"

#: As high as a notebook's cell is comfortable to scroll.
_FRAME_HEIGHT_PX = 760

#: Columns of a diagram that nobody asked otherwise.
_COLUMNS = 100


class _Printer(Protocol):
    """As much of IPython's pretty printer as is used."""

    def text(self, text: str) -> object: ...


def _default_language() -> str:
    """The environment's: the first of these that is set, as POSIX has it."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.startswith("zh") else "en"
    return "en"


class Run:
    """What happened between some hosts.

    Make one by ``Run.lesson(9)`` or ``Run.open("client.jsonl", "server.jsonl")``. As the last line of a
    notebook's cell it shows the whole page: step through it with the arrow keys. ``print(run)`` draws it
    as text.

    ``language`` is that of its pictures and texts, ``"en"`` or ``"zh"``; without it, that of the environment.
    """

    def __init__(self, run: _tcpstack.Run, language: str | None = None) -> None:
        self._run = run
        self._language = language or _default_language()
        run.warnings(self._language)  # refuses a language that there is not

    @classmethod
    def lesson(
        cls,
        lesson: int | str,
        scenario: str | None = None,
        rules: Iterable[str | Mapping[str, Any]] = (),
        *,
        language: str | None = None,
    ) -> Run:
        """Plays a scenario of a lesson: the first one, unless another is named.

        ``lesson`` is its number or name, or a file of your own that ends in ``.toml``. ``rules`` say what
        is done to single packets: ``"client:3:drop"``, or a dictionary as in ``run.rules``. The rest of the
        run is what the stacks make of it. A ValueError says what there is to choose from.

        >>> before = Run.lesson(1, language="en")
        >>> after = Run.lesson(1, rules=["client:1:drop"], language="en")
        >>> [call["name"] for call in after.calls if call["host"] == 0][:2]
        ['socket', 'connect']
        >>> before.difference(after)["before"] is not None
        True
        """
        if isinstance(rules, str):
            rules = (rules,)  # a string is letters otherwise
        texts = [rule if isinstance(rule, str) else json.dumps(dict(rule)) for rule in rules]
        return cls(_tcpstack.Run.lesson(str(lesson), scenario, texts), language)

    @classmethod
    def open(cls, *paths: str | os.PathLike[str], language: str | None = None) -> Run:
        """Reads a run from what was recorded.

        ``paths`` are the event files of all its hosts, or one capture (pcap, pcapng), or one run in JSON. An
        OSError names the file that cannot be opened, a ValueError the line that is wrong.
        """
        if not paths:
            raise TypeError("Run.open() takes at least one path")
        return cls(_tcpstack.Run.open([os.fspath(path) for path in paths]), language)

    # ---- data --------------------------------------------------------------------------------

    @property
    def language(self) -> str:
        """The language of its pictures and texts."""
        return self._language

    @cached_property
    def data(self) -> dict[str, Any]:
        """The whole run."""
        data: dict[str, Any] = json.loads(self._run.json())
        return data

    @property
    def title(self) -> str:
        """What it is called."""
        title: str = self.data["title"][self._language]
        return title

    @property
    def hosts(self) -> list[dict[str, Any]]:
        """The hosts, from left to right as they are drawn."""
        hosts: list[dict[str, Any]] = self.data["hosts"]
        return hosts

    @property
    def rules(self) -> list[dict[str, Any]]:
        """What was done to single packets: by the scenario, and by whoever played it."""
        rules: list[dict[str, Any]] = self.data["origin"].get("rules", [])
        return rules

    @property
    def events(self) -> list[Event]:
        """Every event, in an order that time and causality allow."""
        events: list[Event] = self.data["events"]
        return events

    @property
    def flights(self) -> list[dict[str, Any]]:
        """The segments between the hosts: "sent" and "received" are positions in ``events``."""
        flights: list[dict[str, Any]] = self.data["flights"]
        return flights

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls of the programs: "entered", "blocked" and "returned" are positions in ``events``."""
        calls: list[dict[str, Any]] = self.data["calls"]
        return calls

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the files that it was read from, though they can be read."""
        return self._run.warnings(self._language)

    def difference(self, other: Run) -> dict[str, Any] | None:
        """Where ``other`` parts from this run, or None where they are the same.

        "before" is the position in this run's events, "after" that in the other's, and "text" what was
        done.
        """
        found = self._run.difference(other._run)
        difference: dict[str, Any] | None = None if found is None else json.loads(found)
        return difference

    # ---- pictures ----------------------------------------------------------------------------

    def to_html(self, *, dark: bool | None = None) -> str:
        """The page with this run in it: one file that needs no network."""
        return self._run.html(self._language, dark)

    def to_svg(self, *, dark: bool = False) -> str:
        """The sequence diagram as a picture."""
        return self._run.svg(self._language, dark)

    def to_mermaid(self) -> str:
        """The sequence diagram in Mermaid's notation, as GitHub draws it."""
        return self._run.mermaid(self._language)

    def to_text(self, *, width: int = _COLUMNS, why: bool = False) -> str:
        """The sequence diagram as text, drawn in ``width`` columns; ``why`` adds why things happened."""
        return self._run.text(self._language, width, why)

    def to_json(self) -> str:
        """The run as JSON, which ``Run.open`` reads again."""
        return self._run.json()

    def to_pcapng(self, host: str | None = None) -> bytes:
        """What was on the wire at a host, for Wireshark: the first host, unless another is named."""
        return self._run.pcapng(self.hosts[0]["name"] if host is None else host)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the run in the format that the ending of ``path`` names.

        ``.html`` is the page, ``.svg``, ``.mmd`` and ``.txt`` the sequence diagram, ``.json`` the run,
        ``.pcapng`` the packets at the first host.
        """
        path = Path(path)
        match path.suffix.lower():
            case ".html" | ".htm":
                content = self.to_html().encode()
            case ".svg":
                content = self.to_svg().encode()
            case ".mmd" | ".mermaid":
                content = self.to_mermaid().encode()
            case ".txt":
                content = self.to_text().encode()
            case ".json":
                content = self.to_json().encode()
            case ".pcapng":
                content = self.to_pcapng()
            case ending:
                raise ValueError(f"{path}: no format ends in {ending!r}: expected one of {_ENDINGS}")
        path.write_bytes(content)

    def _repr_html_(self) -> str:
        # Sandboxed: the page gets nothing of the notebook's, and needs nothing of it. Within single quotes
        # the many double quotes of its data stay as they are.
        page = self.to_html().replace("&", "&amp;").replace("'", "&#39;")
        words = "As text" if self._language == "en" else "文本"
        return (
            f"<iframe sandbox='allow-scripts allow-downloads' srcdoc='{page}' "
            f"title='{escape(self.title)}' width='100%' height='{_FRAME_HEIGHT_PX}' "
            "style='border: 0'></iframe>"
            # What is left where frames are not shown, as in a notebook that is not trusted.
            f"<details><summary>{words}</summary><pre>{escape(self.to_text())}</pre></details>"
        )

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_pretty_(self, printer: _Printer, cycle: bool) -> None:
        printer.text(repr(self) if cycle else str(self))

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        hosts = ", ".join(host["name"] for host in self.hosts)
        return f"<Run {self.title!r}: {hosts}; {len(self.events)} events>"
