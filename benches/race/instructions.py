#!/usr/bin/env python3
"""Counts the instructions of pagevec's core loops with callgrind: numbers that do not drift with what the machine does.

Valgrind has no AVX-512, so these are the AVX2 kernels. A count per query or row is a difference of two runs, so that
starting and reading do not count. Writes instructions.md and .json.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess

ROWS, FEW_ROWS = 4000, 2000
QUERIES, FEW_QUERIES = 150, 50
PASSES = 2  # `eval` searches once to count and once to time
SEARCHES = {
    "graph, ef 48": ["--index", "hnsw", "--ef", 48],
    "graph, ef 200": ["--index", "hnsw", "--ef", 200],
    "clusters, recall 0.95": ["--index", "clusters"],
    "scan of all codes": ["--index", "flat"],
}


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("pagevec", "base", "queries", "home", "out"):
        p.add_argument(f"--{name}", type=pathlib.Path, required=True)
    return p.parse_args()


def instructions(home, *command):
    """Instructions of a run, and what it printed."""
    out = home / "callgrind.out"
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *map(str, command)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise SystemExit(f"valgrind: {done.stderr.strip().splitlines()[-1]}")
    return int(found[1]), done.stdout


def zeros(path, rows, columns):
    """A truth for `eval`, which is not what is looked at here: rows 0, 1, 2, … for every query."""
    header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}"
    header = header.ljust(117) + "\n"
    one = b"".join(i.to_bytes(4, "little") for i in range(columns))
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + one * rows)
    return path


def main():
    o = options()
    home = (o.home / "instructions").absolute()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)

    def build(rows, *more):
        folder = home / f"index-{rows}-{len(more)}"
        command = [o.pagevec, "build", o.base, "--limit", rows, "--threads", 1, "-o", folder, *more]
        return folder, instructions(home, *command)[0]

    counts = {}
    folder, whole = build(ROWS)
    _, half = build(FEW_ROWS)
    counts["build: graph and clusters"] = ("row", (whole - half) / (ROWS - FEW_ROWS))
    graph = [build(rows, "--no-clusters")[1] for rows in (FEW_ROWS, ROWS)]
    counts["build: graph only"] = ("row", (graph[1] - graph[0]) / (ROWS - FEW_ROWS))
    truth = zeros(home / "truth.npy", QUERIES, 10)
    for name, how in SEARCHES.items():
        runs = [instructions(home, o.pagevec, "eval", folder, "--queries", o.queries, "--truth", truth, "--threads", 1, "--json",
                             "--limit", limit, *how) for limit in (FEW_QUERIES, QUERIES)]
        each = (runs[1][0] - runs[0][0]) / (QUERIES - FEW_QUERIES) / PASSES
        counts[f"search: {name}"] = ("query", each)
        if "clusters" not in how:  # they look at codes of three kinds
            counts[f"search: {name}, of it per code looked at"] = ("code", each / json.loads(runs[1][1])["distances"])
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=pathlib.Path(__file__).parent, stdout=subprocess.PIPE,
                            text=True).stdout
    lines = [
        f"# Instructions, {datetime.date.today()}", "",
        f"pagevec sq8 over the first {ROWS:,} rows of wordnet (384 components), M 16, efConstruction 200, k 10, one thread, AVX2 "
        f"kernels (valgrind has no AVX-512), counted by callgrind; {os.path.basename(__file__)} says how. pagevec commit {commit.strip()}.", "",
        "| what | instructions | per |", "|---|---|---|",
        *[f"| {name} | {count:,.0f} | {unit} |" for name, (unit, count) in counts.items()], "",
    ]
    o.out.mkdir(parents=True, exist_ok=True)
    (o.out / "instructions.json").write_text(json.dumps({name: count for name, (_, count) in counts.items()}, indent=1) + "\n")
    (o.out / "instructions.md").write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
