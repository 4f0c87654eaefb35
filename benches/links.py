"""The parts of the report about bad links and shared bottlenecks, as `bench-recovery` measured them."""

RECOVERY = """\
Mbit/s of application data through one connection, handshake included, the mean of {seeds} seeds; as much is
moved as the bottleneck carries in ten seconds. Both sides have buffers of 4 MiB and an MTU of 1500;
smoltcp has its CUBIC on. The clock is virtual: the same source gives the same table on any machine.

| link | |
|---|---|
| all | a bottleneck of so many Mbit/s each way before which a queue holds one bandwidth-delay product, 50 packets at least, and then half of the round trip as delay |
| loss | each packet is lost with this probability, both ways, beside what overflows the queue |
| bursts | runs of 4 to 11 data packets are lost; each packet begins one with this probability |
| reordering | nothing is lost; each packet, both ways, overtakes by half a round trip with this probability |
| tail | only the delay; of each message the last segment is lost, once |

*Ahead* of smoltcp is a control whose cell is better than smoltcp's in the same row; the others are marked
with an exclamation mark. The best of a row is bold.
"""

TAIL = """
A message of 8 segments whose last one is lost, and a byte that answers it: mean round trips from the
first byte written to the answer, of 50 in a row, so that each pays too for the window that those before it
have lost. Without a loss and with the window open it is 1.
"""

FAIRNESS = """\
Two flows of the same control share a bottleneck of {rate} Mbit/s, {rtt_ms} ms of round trip and a drop-tail queue
of so many bandwidth-delay products. The second begins two seconds after the first, a little more with
each seed; a minute later each is measured for 160 seconds, since the shares of CUBIC swing slowly. Mbit/s
of application data, the mean of {seeds} seeds, and the lesser of the two as part of the greater in the
worst seed. Virtual time too.
"""

CONTENDERS = ["smoltcp", "reno", "cubic", "bbr"]


def header_row(*columns):
    titles = list(columns) + ["smoltcp"] + [f"tcpstack, {name}" for name in CONTENDERS[1:]]
    return f"\n| {' | '.join(titles)} |\n|{'---:|' * len(titles)}\n"


def is_better(line, base):
    """Fewer round trips, or more Mbit/s."""
    if "rtts" in line:
        return line["rtts"] < base["rtts"]
    return line["mbit_per_s"] > base["mbit_per_s"]


def cell(line, row):
    """A contender's figure: the best of its row bold, one behind smoltcp's marked."""
    shown = f"{line.get('mbit_per_s', line.get('rtts')):.1f}"
    base = row["smoltcp"]
    if not any(is_better(other, line) for other in row.values()):
        shown = f"**{shown}**"
    is_behind = line is not base and not is_better(line, base)
    return shown + " !" if is_behind else shown


def rows_of(lines, key):
    """The lines of each row by contender."""
    rows = {}
    for line in lines:
        rows.setdefault(key(line), {})[line["contender"]] = line
    return rows


def cells_of(row):
    return " | ".join(cell(row[name], row) for name in CONTENDERS)


def recovery_part(lines):
    goodput = [line for line in lines if "trouble" in line]
    by_link = rows_of(goodput, lambda line: (line["rate"] // 1_000_000, line["rtt_ms"], line["trouble"]))
    by_rtt = rows_of([line for line in lines if "tail" in line], lambda line: line["rtt_ms"])
    text = RECOVERY.format(seeds=goodput[0]["seeds"]) + header_row("Mbit/s", "RTT", "trouble")
    for (rate, rtt_ms, trouble), row in by_link.items():
        text += f"| {rate} | {rtt_ms} ms | {trouble} | {cells_of(row)} |\n"
    text += TAIL + header_row("RTT")
    for rtt_ms, row in by_rtt.items():
        text += f"| {rtt_ms} ms | {cells_of(row)} |\n"
    rows = [*by_link.values(), *by_rtt.values()]
    counts = []
    for name in CONTENDERS[1:]:
        ahead = sum(is_better(row[name], row["smoltcp"]) for row in rows)
        counts.append(f"{name} in {ahead} of {len(rows)} cells")
    return text + f"\nAhead of smoltcp: {', '.join(counts)}.\n"


def fairness_part(lines):
    lines = [line for line in lines if "fairness" in line]
    about = lines[0]
    text = FAIRNESS.format(rate=about["rate"] // 1_000_000, rtt_ms=about["rtt_ms"], seeds=about["seeds"])
    text += "\n| flows | queue | first | second | sum | least share |\n|---|---:|---:|---:|---:|---:|\n"
    for line in lines:
        first, second = line["first"], line["second"]
        text += (f"| {line['contender']} and {line['contender']} | {line['queue']} | {first:.2f} | {second:.2f} | "
                 f"{first + second:.2f} | {line['worst'] * 100:.0f} % |\n")
    return text
