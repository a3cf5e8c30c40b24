#!/usr/bin/env python3
"""Odd data of every kind: what pagevec finds by every route, hnswlib and faiss beside it, and what it costs.

    odd.py --pagevec PATH --home FOLDER --out FOLDER

`cargo xtask bench odd` calls this. README.md beside this tells what is measured.
"""
import argparse
import concurrent.futures
import datetime
import multiprocessing
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import peers  # noqa: E402

NEEDED = ("numpy", "hnswlib", "faiss-cpu")
SEEDS = 5


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pagevec", type=pathlib.Path, required=True, help="the command line tool")
    p.add_argument("--home", type=pathlib.Path, required=True, help="where the venv and the indexes are")
    p.add_argument("--out", type=pathlib.Path, required=True, help="folder for odd.md and odd.json")
    p.add_argument("--only", default="", help="kinds, parted by commas [all]")
    p.add_argument("--seeds", type=int, default=SEEDS, help=f"how many [{SEEDS}]")
    return p.parse_args()


def note(text):
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


def run(case, seed, tool, home):
    from measure import measure
    folder = home / f"{case.kind} {case.name} {case.metric} {seed}".replace(" ", "-").replace(",", "").replace(":", "-")
    return measure(case, seed, tool, folder, peers=case.kind != "usual")


def main():
    o = options()
    o.home, o.out, o.pagevec = o.home.absolute(), o.out.absolute(), o.pagevec.absolute()
    peers.enter(o.home, NEEDED, needed=NEEDED)
    from kinds import cases, usual
    import report
    only = [kind for kind in o.only.split(",") if kind]
    known = cases()
    if unknown := set(only) - {case.kind for case in known}:
        sys.exit(f"--only {', '.join(sorted(unknown))}: the kinds are {', '.join(dict.fromkeys(c.kind for c in known))}")
    if not only and "PAGEVEC_DATA" not in os.environ:
        sys.exit("PAGEVEC_DATA must name the folder that holds wordnet/: without it the table is not whole")
    chosen = [case for case in known if not only or case.kind in only]
    started, load = time.time(), os.getloadavg()[0]
    jobs = [(case, seed) for seed in range(1, o.seeds + 1) for case in chosen]
    jobs += [(case, 1) for case in usual(chosen)]
    # Threads of faiss and numpy do not survive a fork.
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        tasks = {pool.submit(run, case, seed, o.pagevec, o.home): (case, seed) for case, seed in jobs}
        rows = []
        for task in concurrent.futures.as_completed(tasks):
            case, seed = tasks[task]
            try:
                rows += task.result()
            except Exception as error:
                pool.shutdown(cancel_futures=True)
                sys.exit(f"{case.kind}, {case.name}, {case.metric}, seed {seed}: {error}")
            note(f"{case.kind}, {case.name}, {case.metric}, seed {seed}")
    order = {(case.kind, case.name, case.metric): i for i, case in enumerate(chosen)}
    mine = sorted((r for r in rows if r["kind"] != "usual"), key=lambda r: (order[r["kind"], r["case"], r["metric"]], r["k"], r["seed"]))
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, stdout=subprocess.PIPE, text=True).stdout
    result = {
        "date": datetime.date.today().isoformat(), "commit": commit.strip(), "machine": peers.machine(),
        "load": [load, os.getloadavg()[0]], "versions": {name: peers.VERSIONS[name] for name in NEEDED},
        "seeds": list(range(1, o.seeds + 1)), "minutes": (time.time() - started) / 60,
        "lines": report.lines(mine, [r for r in rows if r["kind"] == "usual"]), "measured": mine,
    }
    if missing := [line for line in result["lines"] if "hnswlib" not in line or "faiss" not in line]:
        sys.exit(f"{len(missing)} lines have no peers: this is no result")
    report.write(result, o.out / "odd")
    note(f"written to {o.out}/odd.md")


if __name__ == "__main__":
    main()
