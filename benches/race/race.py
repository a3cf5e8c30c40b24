#!/usr/bin/env python3
"""Races pagevec against other engines natively: the same rows, queries and k, one machine, one run, one thread each.

    race.py --set NAME BASE QUERIES TRUTH --pagevec PATH --out FOLDER

`cargo xtask bench race` calls this with its sets. README.md beside this tells what is counted.
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent)]
from native import EF_CONSTRUCTION, ENGINES, M  # noqa: E402
from peers import VERSIONS, enter, machine  # noqa: E402
import report  # noqa: E402

ENOUGH = 0.992  # a sweep ends with the first point that finds as much


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--set", nargs=4, action="append", required=True, metavar=("NAME", "BASE", "QUERIES", "TRUTH"),
                   help="a name and three .npy files: rows, queries, the numbers of the rows nearest to each query")
    p.add_argument("--pagevec", type=pathlib.Path, required=True, help="the command line tool to race")
    p.add_argument("--out", type=pathlib.Path, required=True, help="folder for race-NAME.md, .json and .svg")
    p.add_argument("--home", type=pathlib.Path, default=ROOT / "target/race", help="the venv, indexes [target/race]")
    p.add_argument("--engines", help="names, or how names begin, parted by semicolons [all]")
    p.add_argument("--rounds", type=int, default=4, help="sweeps of each engine [4]")
    p.add_argument("--rows", type=int, help="take the first rows only, with their own truth; for trying the script")
    p.add_argument("--queries", type=int, default=1000, help="how many at most [1000]")
    p.add_argument("--core", type=int, default=(os.cpu_count() or 1) - 1, help="that all are pinned to, -1 for none [the last]")
    p.add_argument("--keep", action="store_true", help="search the indexes that an earlier run built, where there are any; "
                   "pagevec's if the tool is the same")
    return p.parse_args()


class Worker:
    """An engine in its process. A failure of it is kept as a text and ends its race, not the others'."""

    def __init__(self, name, files, path, core, log):
        self.name, self.failed, self.log = name, None, log
        command = [sys.executable, HERE / "worker.py", name, json.dumps(files, default=str), path, str(core)]
        with open(log, "w") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)

    def ask(self, *command):
        if self.failed:
            return None
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if line:
            return json.loads(line)
        code = self.process.wait()
        said = [text for text in self.log.read_text().splitlines() if text.strip()]
        self.failed = f"{command[0]}: {said[-1] if said else f'the process ended with {code}'}"
        print(f"{self.name}: {self.failed}", file=sys.stderr)
        return None

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def prepare(o, name, base, queries, truth, folder):
    """Unit rows in float32 and their truth, as .npy files that all engines read."""
    import numpy as np
    folder.mkdir(parents=True, exist_ok=True)
    files = {part: folder / f"{part}.npy" for part in ("base", "queries", "truth")}
    unit = lambda a: a / np.linalg.norm(a, axis=1, keepdims=True)
    base = unit(np.load(base, mmap_mode="r")[: o.rows].astype(np.float32))
    queries = unit(np.load(queries)[: o.queries].astype(np.float32))
    truth = np.load(truth)[: len(queries)].astype(np.int32)
    if o.rows:
        truth = np.argsort(-(queries @ base.T), axis=1, kind="stable")[:, :100].astype(np.int32)
    for part, array in (("base", base), ("queries", queries), ("truth", truth)):
        np.save(files[part], np.ascontiguousarray(array))
    return {**files, "tool": o.pagevec.resolve()}, {"name": name, "rows": len(base), "dim": base.shape[1], "queries": len(queries)}


def build(o, names, files, folder):
    built = {}
    tool = hashlib.sha256(o.pagevec.read_bytes()).hexdigest()
    for name in names:
        path = folder / name.replace(" ", "-").replace(",", "")
        facts = path.with_name(path.name + ".json")
        builder = tool if ENGINES[name][0] == "pagevec" else VERSIONS
        if not (o.keep and facts.exists() and json.loads(facts.read_text()).get("builder") == builder):
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)
            if ENGINES[name][0] in ("svs", "pagevec"):
                path.mkdir()
            worker = Worker(name, files, path, o.core, path.with_name(path.name + ".log"))
            answer = worker.ask("build")
            worker.close()
            facts.write_text(json.dumps({**(answer or {"failed": worker.failed}), "builder": builder}))
        built[name] = json.loads(facts.read_text())
        note(f"{name}: {built[name].get('failed') or 'built'}")
    return built


def race(o, names, files, folder, built, write):
    """Sweeps take turns point by point, so that whatever else the machine does falls on all alike. `write` gets what is
    known after each round."""
    workers, engines = {}, {}
    for name in names:
        engines[name] = {"build": built[name], "failed": built[name].get("failed"), "sweep": [], "singles": []}
        if engines[name]["failed"]:
            continue
        path = folder / name.replace(" ", "-").replace(",", "")
        workers[name] = Worker(name, files, path, o.core, path.with_name(path.name + ".log"))
        engines[name]["load"] = workers[name].ask("load")
    for turn in range(o.rounds):
        for step in range(max(len(ENGINES[name][2]) for name in names)):
            for name, worker in workers.items():
                if wanted(engines[name]["sweep"], step, ENGINES[name][2], turn):
                    keep_point(engines[name]["sweep"], step, ENGINES[name][2][step], worker.ask("search", ENGINES[name][2][step]))
        for name, worker in workers.items():
            e = engines[name]
            at95 = next((p["param"] for p in e["sweep"] if p["recall"] >= 0.95), None)
            if turn == 0 and e["sweep"]:
                e["memory"] = worker.ask("memory", at95 or e["sweep"][-1]["param"])
            if at95 and (found := worker.ask("single", at95)):
                e["singles"].append(found)
                e["single"] = {key: min(single[key] for single in e["singles"]) for key in found}
            e["failed"] = worker.failed
        note(f"round {turn + 1} of {o.rounds}, load {os.getloadavg()[0]:.2f}")
        write(engines, turn + 1)
    for worker in workers.values():
        worker.close()


def wanted(sweep, step, params, turn):
    """The first round goes up to recall enough; the others repeat its points near the recalls that are compared."""
    if turn == 0:
        return step < len(params) and not (sweep and sweep[-1]["recall"] >= ENOUGH)
    return step < len(sweep) and sweep[min(step + 1, len(sweep) - 1)]["recall"] >= 0.93


def keep_point(sweep, step, param, found):
    if not found:
        return
    if step == len(sweep):
        sweep.append({"param": param, "recall": found["recall"], "rounds": [], "wall": []})
    point = sweep[step]
    point["rounds"].append(found["qps"])
    point["wall"].append(found["wall_qps"])
    # The least disturbed of the rounds: others on the machine only ever add time.
    point["qps"] = max(point["rounds"])


def note(text):
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


def main():
    o = options()
    o.home, o.out = o.home.absolute(), o.out.absolute()
    enter(o.home, VERSIONS)
    prefixes = o.engines.split(";") if o.engines else [""]
    names = [name for name in ENGINES if any(name == p or (name.startswith(p) and p not in ENGINES) for p in prefixes)]
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    o.out.mkdir(parents=True, exist_ok=True)
    for name, *three in o.set:
        folder = o.home / f"{name}-{o.rows or 'all'}"
        note(f"{name}: {len(names)} engines")
        files, facts = prepare(o, name, *three, folder)
        load = os.getloadavg()[0]
        built = build(o, names, files, folder)
        facts |= {"date": datetime.date.today().isoformat(), "commit": commit.strip(), "machine": machine(), "k": 10,
                  "m": M, "ef_construction": EF_CONSTRUCTION, "versions": VERSIONS}

        def write(engines, rounds):
            now = {"load": [load, os.getloadavg()[0]], "rounds": rounds, "engines": engines}
            report.write({**facts, **now}, o.out / f"race-{name}")

        race(o, names, files, folder, built, write)
        note(f"written to {o.out}/race-{name}.md")


if __name__ == "__main__":
    main()
