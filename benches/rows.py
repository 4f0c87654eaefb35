"""Prints rows of measurements as they came: `rows.py < lines.jsonl`. See `targets.py`."""

import json
import sys

from targets import print_rows

rows = {}
for line in map(json.loads, sys.stdin):
    rows.setdefault(line["row"], {}).setdefault(line["contender"], {})[line["quantity"]] = line["values"]
print_rows(rows)
