"""tshark's judgement of a capture: each expert item that is not what correct TCP may show.

Wireshark's experts remark on whatever is worth a look, a full window and a retransmission included.
Chats are let pass; a note or a warning must be one of those below, each TCP at work; an error, a
malformed packet or a wrong checksum never passes, but for the kernel's other way to write zero.
"""

import collections
import subprocess

#: How the notes and warnings begin that a correct connection may cause, and why it may.
HONEST = {
    "TCP window specified by the receiver is now completely full": "the sender uses what it is given",
    "TCP Zero Window segment": "the reader is slower than the network",
    "TCP Zero Window Probe": "the sender asks whether it still is (RFC 9293 §3.8.6.1)",
    "ACK to a TCP Zero Window Probe": "and is answered",
    "This frame undergoes the connection closing": "the second FIN",
    "This frame initiates the connection closing": "the first FIN",
    "Duplicate ACK": "a segment came out of order (RFC 5681 §3.2)",
    "This frame is a (suspected) retransmission": "the interface's queue was full and lost one",
    "This frame is a (suspected) fast retransmission": "and three duplicates said so",
    "This frame is a (suspected) out-of-order segment": "it fills the hole",
    "Previous segment(s) not captured": "the hole, seen from behind it",
    # Where the reader's process waits for the processor longer than two round trips and 2 ms.
    "D-SACK Sequence": "a tail loss probe repeated what was late and not lost (RFC 8985 §7.3)",
}

#: Zero, as the kernel writes it where it sums in software: for UDP a field of zero would mean no sum.
OTHER_ZERO = "TCP Checksum 0xffff instead of 0x0000"

#: Severities and groups of Wireshark's epan/expert.h.
NOTE = 0x00400000
WARN = 0x00600000
CHECKSUM = 0x01000000
MALFORMED = 0x07000000

COLUMNS = ["frame.number", "_ws.expert.severity", "_ws.expert.group", "_ws.expert.message"]


def _tshark(pcap, *arguments):
    command = ["tshark", "-n", "-r", pcap]
    for preference in ["ip.check_checksum", "tcp.check_checksum"]:
        command += ["-o", f"{preference}:TRUE"]
    done = subprocess.run(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True
    )
    # A damaged file ends in a complaint, with what could be read before it.
    complaints = [line for line in done.stderr.splitlines() if "Running as user" not in line]
    assert not complaints, f"{pcap}: {complaints}"
    return done.stdout


def _is_honest(severity, group, message):
    if group in (CHECKSUM, MALFORMED):
        return message.startswith(OTHER_ZERO)
    if severity < NOTE:
        return True
    return severity <= WARN and any(message.startswith(start) for start in HONEST)


def packet_count(pcap):
    """How many packets the capture holds."""
    return len(_tshark(pcap, "-T", "fields", "-e", "frame.number").splitlines())


def count(pcap, display_filter):
    """How many packets of the capture match the filter."""
    arguments = ["-Y", display_filter, "-T", "fields", "-e", "frame.number"]
    return len(_tshark(pcap, *arguments).splitlines())


def unexpected(pcap):
    """What tshark finds wrong, as `message: how often, first in packet N`; empty when all is well."""
    arguments = ["-Y", "_ws.expert", "-T", "fields", "-E", "aggregator=|"]
    for column in COLUMNS:
        arguments += ["-e", column]
    found = collections.defaultdict(list)
    for line in _tshark(pcap, *arguments).splitlines():
        number, severities, groups, messages = line.split("\t")
        items = zip(severities.split("|"), groups.split("|"), messages.split("|"), strict=True)
        for severity, group, message in items:
            if not _is_honest(int(severity, 0), int(group, 0), message):
                found[message].append(number)
    return [f"{message}: {len(at)} times, first in packet {at[0]}" for message, at in found.items()]
