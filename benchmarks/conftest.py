"""Print what was measured as Markdown: ratios to the first entry of every group."""

import datetime
import os
from itertools import groupby

import torch

from nhlib._provenance import device_name, processor, versions


def surroundings():
    """Describe processor, cores and versions."""
    gpu = f", {device_name('cuda')}" if torch.cuda.is_available() else ""
    return (
        f"{processor()}{gpu}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"{versions('Python', 'PyTorch')}, {datetime.date.today().isoformat()}"
    )


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    if session is None or not session.benchmarks:
        return
    write = terminalreporter.write_line
    write("")
    write(surroundings())
    for group, members in groupby(session.benchmarks, key=lambda benchmark: benchmark.group):
        members = list(members)
        extras = list(members[0].extra_info)
        write("")
        write(f"**{group}**")
        write("")
        write("| " + " | ".join(["", "median", "ratio", *extras]) + " |")
        write("|---|" + "---:|" * (2 + len(extras)))
        for member in members:
            ratio = member.stats.median / members[0].stats.median
            shown = f"{ratio:.2f}" if ratio > 0.1 else f"1 : {1 / ratio:.0f}"
            cells = [member.name, f"{member.stats.median * 1000:,.1f} ms", shown]
            write("| " + " | ".join([*cells, *member.extra_info.values()]) + " |")
