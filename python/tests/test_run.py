"""Runs: lessons and recordings as data, as files, and in a notebook."""

from __future__ import annotations

import doctest
import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

import tcpstack
from tcpstack import Run, _run

from conftest import url_of

PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
#: Elements that have no end tag.
VOID = {"meta", "link", "br", "input", "img", "hr", "source", "path"}


class Page(HTMLParser):
    """The elements of a page, the attributes of its frames and the text in its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.frames: list[dict[str, str | None]] = []
        self.texts: dict[str, str] = {}
        self.inside: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.inside.append(dict(attrs).get("id") or tag)
        if tag == "iframe":
            self.frames.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self.inside:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[self.inside[-1]] = self.texts.get(self.inside[-1], "") + data


@pytest.fixture(scope="module")
def run() -> Run:
    return Run.lesson(9, "no-wait", rules=["client:3:drop"], language="en")


def test_the_examples_in_the_documentation_run() -> None:
    assert doctest.testmod(_run).failed == 0
    readme = Path(__file__).parents[1] / "README.md"
    result = doctest.testfile(str(readme), module_relative=False)
    assert (result.failed, result.attempted > 0) == (0, True)


def test_a_lesson_is_data(run: Run) -> None:
    sent = [run.events[flight["sent"]] for flight in run.flights]
    assert all(event["kind"]["type"] == "segment_sent" for event in sent)
    assert [flight["fate"] for flight in run.flights if flight["from"] == 0][2] == "lost"
    assert any(call["name"] == "connect" for call in run.calls)
    assert {"from": "client", "number": 3, "action": "drop", "of_scenario": False} in run.rules
    assert json.loads(run.to_json()) == run.data


def test_the_same_lesson_gives_the_same_run_and_a_rule_another(run: Run) -> None:
    again = Run.lesson("time-wait", "no-wait", rules=[run.rules[0]], language="en")
    assert run.difference(again) is None
    before = Run.lesson(9, "no-wait")
    difference = before.difference(run)
    assert difference is not None
    at = difference["after"]
    assert before.events[:at] == run.events[:at]
    assert before.events[at] != run.events[at]
    assert set(difference["text"]) == {"en", "zh"}


def test_what_there_is_not_is_a_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no lesson 99: expected one of 1 handshake, "):
        Run.lesson(99)
    with pytest.raises(ValueError, match="expected one of .*no-wait"):
        Run.lesson(9, "nonsense")
    with pytest.raises(ValueError, match="client:3:fly"):
        Run.lesson(9, rules=["client:3:fly"])
    with pytest.raises(ValueError, match="there is no packet 999 of `client`"):
        Run.lesson(9, rules=["client:999:drop"])
    with pytest.raises(ValueError, match="nobody"):
        Run.lesson(9, rules=["nobody:3:drop"])
    with pytest.raises(ValueError, match="action"):
        Run.lesson(9, rules=[{"from": "client", "number": 3}])
    with pytest.raises(ValueError, match="there is no language fr"):
        Run.lesson(9, language="fr")
    (tmp_path / "mine.toml").write_text("number = 'one'\n")
    with pytest.raises(ValueError, match=r"mine\.toml:1: "):
        Run.lesson(str(tmp_path / "mine.toml"))
    (tmp_path / "wrong.jsonl").write_text("nonsense\n")
    with pytest.raises(ValueError, match=r"wrong\.jsonl"):
        Run.open(tmp_path / "wrong.jsonl")
    with pytest.raises(TypeError):
        Run.open()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing.jsonl"
    with pytest.raises(FileNotFoundError, match="No such file or directory") as raised:
        Run.open(path)
    assert raised.value.filename == str(path)
    with pytest.raises(FileNotFoundError, match=r"missing\.toml"):
        Run.lesson(str(tmp_path / "missing.toml"))


def test_the_page_holds_the_run_with_the_one_that_it_differs_from(run: Run) -> None:
    data = json.loads(Page(run.to_html()).texts["tcpstack-data"])
    assert (len(data["runs"]), data["selected"], data["language"]) == (2, 1, "en")
    assert data["runs"][1] == run.data
    assert data["differences"][1] is not None
    assert [head["id"] for head in data["lessons"][0]["scenarios"]] == ["no-wait"]
    alone = json.loads(Page(Run.lesson(1).to_html(dark=True)).texts["tcpstack-data"])
    assert (len(alone["runs"]), alone["selected"], alone["theme"]) == (1, 0, "dark")


def test_a_notebook_shows_the_page_in_a_sandbox_and_the_diagram_without_it(run: Run) -> None:
    cell = Page(run._repr_html_())
    [frame] = cell.frames
    assert frame["sandbox"] == "allow-scripts allow-downloads"
    assert frame["srcdoc"] == run.to_html()
    assert frame["title"] == run.title
    assert cell.texts["pre"] == run.to_text()
    assert not cell.inside, "every element ends"
    assert ElementTree.fromstring(run._repr_svg_()).tag == "{http://www.w3.org/2000/svg}svg"


def test_text_is_what_is_left_without_pictures(run: Run) -> None:
    assert str(run) == run.to_text()
    assert "SYN" in str(run) and "client" in str(run)
    narrow, wide = [run.to_text(width=columns).splitlines() for columns in (80, 120)]
    assert len(narrow[0]) < len(wide[0])
    assert len(run.to_text(why=True)) > len(run.to_text())
    assert repr(run).startswith(f"<Run {run.title!r}: client, server; ")


def test_each_ending_is_a_format(run: Run, tmp_path: Path) -> None:
    written = {}
    for ending in ["html", "svg", "mmd", "txt", "json", "pcapng"]:
        run.save(tmp_path / f"run.{ending}")
        written[ending] = (tmp_path / f"run.{ending}").read_bytes()
    assert written["html"].decode() == run.to_html()
    assert written["svg"].decode() == run.to_svg()
    assert written["mmd"].startswith(b"sequenceDiagram")
    assert written["txt"].decode() == str(run)
    assert written["pcapng"].startswith(PCAPNG_MAGIC)
    assert written["pcapng"] == run.to_pcapng("client") != run.to_pcapng("server")
    with pytest.raises(ValueError, match=r"'\.docx': expected one of \.html"):
        run.save(tmp_path / "run.docx")
    with pytest.raises(ValueError, match="there is no host nobody"):
        run.to_pcapng("nobody")


def test_what_was_saved_is_opened_again(run: Run, tmp_path: Path) -> None:
    run.save(tmp_path / "run.json")
    assert Run.open(tmp_path / "run.json", language="en").data == run.data
    run.save(tmp_path / "run.pcapng")
    captured = Run.open(tmp_path / "run.pcapng")
    assert captured.flights and not captured.calls
    assert captured.rules == []


def test_what_programs_record_is_a_run(network: Path, tmp_path: Path) -> None:
    files = [tmp_path / "server.jsonl", tmp_path / "client.jsonl"]
    urls = [f"{url_of(network, number)}&events={file}" for number, file in enumerate(files, 1)]
    with tcpstack.Stack(urls[0]) as server, tcpstack.Stack(urls[1]) as client:
        with tcpstack.create_server(("10.7.0.1", 7400), stack=server) as listener:
            with tcpstack.create_connection(("10.7.0.1", 7400), stack=client) as near:
                far, _ = listener.accept()
                with far:
                    near.sendall(b"hello")
                    assert far.recv(10) == b"hello"
    run = Run.open(*files)
    assert [call["name"] for call in run.calls].count("connect") == 1
    assert run.flights[0]["fate"] == "arrived"
    assert run.warnings == []


def test_the_language_is_the_environments_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LC_ALL": "", "LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_GB.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    assert Run.lesson(1).language == "zh"
    assert "三次握手" in Run.lesson(1, language="zh").to_html()
    assert Run.lesson(1, language="en").title != Run.lesson(1).title
