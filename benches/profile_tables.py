"""The part of the report about where the time goes: tables whose shares add up to 100 %."""

TEXT = """\
Processor time of the process for one call of 64 KiB on a connection over TUN to the kernel, offload on, all
its threads together; the peer's time is not in it, but for what the kernel does for the peer within a `writev`
to the interface. Of the time in the kernel a system call has as much as it takes by itself, times how often it
is made; outside, shares are of cycles as callgrind estimates them (instructions, and what its model of the
caches misses). The flame graphs have that part, function by function: [write](flame-write.svg),
[read](flame-read.svg).
"""

# Of the time in the kernel; what is less goes together.
LEAST = 0.02

LOCK = """
How long a call that only takes the host's lock waits for it while another thread writes at full speed, every
200 µs (median of 5 runs): median {median:.1f} µs, 99th percentile {p99:.1f} µs, most {most:.0f} µs.
"""


def shares(line):
    """(what, share of the whole) of one call, largest first in each half."""
    whole = line["user_us"] + line["system_us"]
    cycles = sum(line["cycles"].values())
    rows = [(name, line["user_us"] * cost / cycles / whole)
            for name, cost in sorted(line["cycles"].items(), key=lambda item: -item[1])]
    in_kernel = sum(seconds for _, seconds in line["system_calls"].values()) or 1
    rest = 0.0
    calls = sorted(line["system_calls"].items(), key=lambda item: -item[1][1])
    for name, (_, seconds) in calls:
        if seconds / in_kernel < LEAST:
            rest += seconds
        else:
            rows.append((f"in the kernel: `{name}`", line["system_us"] * seconds / in_kernel / whole))
    rows.append(("in the kernel: all else", line["system_us"] * rest / in_kernel / whole))
    return rows


def rounded(rows):
    """Tenths of a percent that add up to exactly 100 %."""
    tenths = [share * 1000 for _, share in rows]
    whole = [int(tenth) for tenth in tenths]
    by_rest = sorted(range(len(rows)), key=lambda at: whole[at] - tenths[at])
    for at in by_rest[:1000 - sum(whole)]:
        whole[at] += 1
    return [(name, tenth / 10) for (name, _), tenth in zip(rows, whole)]


def call_section(line):
    whole = line["user_us"] + line["system_us"]
    text = f"\n### One {line['call']} of 64 KiB: {whole:.1f} µs\n\n| | share | µs |\n|---|---:|---:|\n"
    for name, share in rounded(shares(line)):
        text += f"| {name} | {share:.1f} % | {whole * share / 100:.2f} |\n"
    text += f"| **in all** | **100 %** | **{whole:.2f}** |\n"
    calls = sorted(line["system_calls"].items(), key=lambda item: -item[1][0])
    some = [f"{count / line['calls']:.2f} `{name}`" for name, (count, _) in calls if count / line["calls"] >= 0.01]
    total = sum(count for count, _ in line["system_calls"].values())
    return text + (f"\nSystem calls for one of these: {', '.join(some)}; in all {total / line['calls']:.2f}, one for "
                   f"{line['calls'] * 65536 / total / 1024:.0f} KiB.\n")


def cache_section(found):
    text = "\n### Cache misses per segment\n\nAs callgrind models the caches of this machine, in memory, both hosts:\n"
    columns = list(next(iter(found.values())))
    text += f"\n| scenario | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}\n"
    for scenario, counts in found.items():
        text += f"| {scenario} | {' | '.join(f'{counts[column]:.1f}' for column in columns)} |\n"
    return text


def section(lines, lock):
    """`lock` is the row of the waits for the lock, where it was measured."""
    text = TEXT
    for line in lines:
        text += call_section(line) if "call" in line else cache_section(line["cache_misses"])
    if lock:
        waits = lock["found"]["tcpstack_asked"]
        middle = {name: sorted(waits[f"lock_wait_{name}_us"])[len(waits["lock_wait_median_us"]) // 2]
                  for name in ("median", "p99", "most")}
        text += "\n### The lock\n" + LOCK.format(**middle)
    return text
