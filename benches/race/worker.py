"""One engine in its own process, pinned to one core: reads commands as lines of JSON from stdin, answers in lines of JSON.

race.py starts it, once to build and once to search. What an engine prints goes to stderr.
"""
import json
import os
import pathlib
import resource
import sys
import time

import numpy as np

from native import ENGINES, engine

K = 10
BATCH = 1000


def rss(pid="self"):
    """Bytes of memory that the process holds, pages of mapped files among them."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0  # it has ended
    found = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(found[0].split()[1]) * 1024 if found else 0


def cpu(who):
    """Seconds of a core, whatever else the machine did meanwhile."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def size(path):
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(p.stat().st_size for p in files)


def percentile(times, percent):
    return float(np.sort(times)[max(0, -(-len(times) * percent // 100) - 1)] * 1e6)


class InProcess:
    """An engine that is a Python module."""

    def __init__(self, name, files, path):
        self.engine, self.files, self.path = engine(name), files, path

    def build(self):
        base = np.load(self.files["base"])
        before, started = cpu(resource.RUSAGE_SELF), time.perf_counter()
        self.engine.build(base, self.path)
        return {"cpu_seconds": cpu(resource.RUSAGE_SELF) - before, "wall_seconds": time.perf_counter() - started,
                "bytes": size(self.path)}

    def load(self):
        self.queries = np.load(self.files["queries"])
        self.truth = np.load(self.files["truth"])[:, :K]
        self.before = rss()
        started = time.perf_counter()
        self.engine.load(self.path, self.queries.shape[1])
        self.engine.search(self.queries[:1], K, 10)
        return {"seconds": time.perf_counter() - started}

    def batches(self, param):
        return np.vstack([self.engine.search(self.queries[i:i + BATCH], K, param)
                          for i in range(0, len(self.queries), BATCH)])

    def search(self, param):
        """Recall, and queries per second of the core; the first of two passes warms up."""
        found = self.batches(param)
        hits = sum(len(np.intersect1d(a, b)) for a, b in zip(found, self.truth))
        before, started = cpu(resource.RUSAGE_SELF), time.perf_counter()
        self.batches(param)
        seconds, wall = cpu(resource.RUSAGE_SELF) - before, time.perf_counter() - started
        return {"recall": hits / self.truth.size, "qps": len(self.queries) / seconds, "wall_qps": len(self.queries) / wall}

    def single(self, param):
        """Times of one query a call."""
        times = []
        for i in range(len(self.queries)):
            query = self.queries[i:i + 1]
            started = time.perf_counter()
            self.engine.search(query, K, param)
            times.append(time.perf_counter() - started)
        return {"p50_us": percentile(times, 50), "p99_us": percentile(times, 99)}

    def memory(self, param):
        self.batches(param)
        return {"bytes": rss() - self.before}


class Pagevec:
    """pagevec, which is a program."""

    def __init__(self, name, files, path):
        self.engine, self.files, self.path = engine(name, tool=files["tool"], files=files), files, path
        self.count = len(np.load(files["queries"], mmap_mode="r"))

    def build(self):
        """The seconds of the whole process, which also reads the rows."""
        built = self.engine.build(None, self.path)
        return {"cpu_seconds": cpu(resource.RUSAGE_CHILDREN), "wall_seconds": built["build_seconds"], "bytes": built["bytes"],
                "content_id": built["content_id"]}

    def load(self):
        """A bound from above: the program starts, maps the file, reads one query and searches for it twice."""
        self.engine.load(self.path, None)
        started = time.perf_counter()
        self.engine.evaluate(10, 1)
        return {"seconds": time.perf_counter() - started}

    def search(self, param):
        """Thirty passes; the seconds of the core are those of the searching thread, as it tells."""
        row = self.engine.evaluate(param, self.count, 30)
        return {"recall": row["recall"], "qps": 1e6 / row["cpu_us"], "wall_qps": row["qps"]}

    def single(self, param):
        row = self.engine.evaluate(param, self.count)
        return {name: row[name] for name in ("p50_us", "p99_us")}

    def memory(self, param):
        """The most that a run holds, less what it holds over an index of 1,000 rows."""
        def most(engine):
            seen = [0]
            engine.evaluate(param, self.count, watch=lambda pid: seen.append(rss(pid)))
            return max(seen)

        few = pathlib.Path(f"{self.path}.few")
        files = {**self.files, "base": few.with_suffix(".base.npy"), "truth": few.with_suffix(".truth.npy")}
        np.save(files["base"], np.load(self.files["base"], mmap_mode="r")[:1000])
        np.save(files["truth"], np.tile(np.arange(K, dtype=np.int32), (self.count, 1)))
        small = self.engine.over(files)
        small.build(None, few)
        small.load(few, None)
        return {"bytes": most(self.engine) - most(small)}


def main():
    name, files, path, core = sys.argv[1], json.loads(sys.argv[2]), pathlib.Path(sys.argv[3]), int(sys.argv[4])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if core >= 0:
        os.sched_setaffinity(0, {core})
    kind = Pagevec if ENGINES[name][0] == "pagevec" else InProcess
    runner = kind(name, files, path)
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        answers.write(json.dumps(getattr(runner, command)(*arguments)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
