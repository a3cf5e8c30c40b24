#!/usr/bin/env python3
"""Races pagevec against hnswlib on the wordnet vectors: one machine, one run, one thread. See README.md beside this.

Both get the same float32 rows, M 16, efConstruction 200, cosine, k 10. Sweeps over ef take turns; a point's speed is the
median of its rounds. Speed at a recall is read off the curve: log(queries/s) linear in recall between two points.
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
HOME = ROOT / "target/race"
PACKAGES = ["numpy==2.4.6", "hnswlib==0.8.0"]
M, EF_CONSTRUCTION, K = 16, 200, 10
EFS = [10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 200, 256, 320, 400, 512]
RECALLS = [0.95, 0.97, 0.99]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", type=pathlib.Path, default=os.environ.get("PAGEVEC_DATA", ROOT.parent / "shared/data"),
                   help="the folder that holds wordnet/ [default: $PAGEVEC_DATA, else ../shared/data]")
    p.add_argument("--pagevec", type=pathlib.Path, help="the tool to race [default: cargo builds it]")
    p.add_argument("--codecs", default="sq8,binary", help="pagevec codecs, parted by commas [sq8,binary]")
    p.add_argument("--rounds", type=int, default=3, help="sweeps of each engine [3]")
    p.add_argument("--rows", type=int, help="take the first rows only, with their own truth; for trying the script")
    p.add_argument("--queries", type=int, default=5000)
    p.add_argument("--out", type=pathlib.Path, help="folder for wordnet.md and .json [benches/results/<date>; with --rows "
                   "target/race]")
    p.add_argument("--busy", action="store_true", help="run although the machine has other work")
    return p.parse_args()


def in_venv():
    """Runs this script again with numpy and hnswlib, installed from PyPI into target/race/venv."""
    home = HOME / "venv"
    python = home / "bin/python"
    ready = home / "ready"
    if not ready.exists() or ready.read_text() != " ".join(PACKAGES):
        venv.create(home, with_pip=True, clear=True)
        # hnswlib is compiled here, with -march=native: its best on this machine.
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        ready.write_text(" ".join(PACKAGES))
    os.execve(python, [python, *sys.argv], {**os.environ, **ONE_THREAD, "PAGEVEC_RACE": "1"})


def pagevec_tool(given):
    if given:
        return given.resolve()
    subprocess.run(["cargo", "build", "--release", "--package", "pagevec-cli"], cwd=ROOT, check=True)
    return TARGET / "release/pagevec"


def machine():
    def field(name, text, default=""):
        found = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(name)]
        return found[0] if found else default

    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    flags = set(field("flags", cpu).split())
    return {
        "cpu": field("model name", cpu, "unknown"),
        "cores": os.cpu_count(),
        "simd": [f for f in ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_vpopcntdq") if f in flags],
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
    }


class Hnswlib:
    name = "hnswlib 0.8.0"

    def __init__(self, base, queries, truth):
        import hnswlib
        self.queries, self.truth = queries, truth
        self.index = hnswlib.Index(space="cosine", dim=base.shape[1])
        self.index.set_num_threads(1)
        self.index.init_index(max_elements=len(base), M=M, ef_construction=EF_CONSTRUCTION)
        started = time.perf_counter()
        self.index.add_items(base, num_threads=1)
        seconds = time.perf_counter() - started
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/index"
            self.index.save_index(path)
            size = os.path.getsize(path)
        self.facts = {"build_seconds": seconds, "vectors_per_second": len(base) / seconds, "file_bytes": size,
                      "kernels": "compiled on this machine with -march=native"}

    def sweep(self):
        import numpy as np
        rows = []
        for ef in EFS:
            self.index.set_ef(ef)
            labels, _ = self.index.knn_query(self.queries, k=K, num_threads=1)  # warms up, and tells the recall
            started = time.perf_counter()
            # One call for all queries: their loop is in C++, without Python between them.
            self.index.knn_query(self.queries, k=K, num_threads=1)
            seconds = time.perf_counter() - started
            found = sum(np.isin(a, b).sum() for a, b in zip(labels, self.truth[:, :K]))
            rows.append({"ef": ef, "recall": float(found) / (len(labels) * K), "qps": len(self.queries) / seconds})
        return rows


class Pagevec:
    def __init__(self, tool, codec, files, folder):
        self.tool, self.files, self.folder = tool, files, folder / codec
        self.name = f"pagevec {codec}"
        built = self.json("build", files["base"], "--codec", codec, "-M", M, "--ef-construction", EF_CONSTRUCTION,
                          "--threads", 1, "-o", self.folder)
        inspected = self.json("inspect", self.folder)
        self.facts = {"build_seconds": built["build_seconds"], "vectors_per_second": built["vectors_per_second"],
                      "file_bytes": built["bytes"], "kernels": inspected["kernels"], "content_id": built["content_id"]}

    def json(self, *arguments):
        return json.loads(self.run(*arguments))

    def run(self, *arguments):
        command = [str(a) for a in (self.tool, *arguments, "--json")]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def sweep(self):
        lines = self.run("eval", self.folder, "--queries", self.files["queries"], "--truth", self.files["truth"], "-k", K,
                         "--ef", ",".join(map(str, EFS)), "--threads", 1)
        rows = [json.loads(line) for line in lines.splitlines()]
        return [{name: row[name] for name in ("ef", "recall", "qps", "p50_us", "p99_us", "distances")} for row in rows]


def median(sweeps):
    """One row per ef. Recall is the same in each round; speeds are not."""
    rows = []
    for rounds in zip(*sweeps):
        row = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
        row["qps_of_rounds"] = [round(r["qps"]) for r in rounds]
        rows.append(row)
    return rows


def speed_at(rows, recall):
    """Queries/s where the curve first reaches the recall; None if it does not, or starts above it."""
    for low, high in zip(rows, rows[1:]):
        if low["recall"] < recall <= high["recall"]:
            part = (recall - low["recall"]) / (high["recall"] - low["recall"])
            return math.exp(math.log(low["qps"]) * (1 - part) + math.log(high["qps"]) * part)
    return None


def load_vectors(o):
    """float32 rows, queries and truth; the files that pagevec reads hold the same numbers."""
    import numpy as np
    data = o.data / "wordnet"
    files = {"base": data / "base.f16.npy", "queries": data / "queries.f16.npy", "truth": data / "truth.npy"}
    base = np.load(files["base"])[: o.rows].astype(np.float32)
    queries = np.load(files["queries"])[: o.queries].astype(np.float32)
    truth = np.load(files["truth"])[: len(queries)]
    folder = HOME / "data"
    folder.mkdir(parents=True, exist_ok=True)
    if o.rows:
        unit = base / np.linalg.norm(base, axis=1, keepdims=True)
        truth = np.argsort(-(queries @ unit.T), axis=1, kind="stable")[:, :100].astype(np.int32)
    for name, array in (("base", base), ("queries", queries), ("truth", truth)):
        files[name] = folder / f"{name}.npy"
        np.save(files[name], array)
    return base, queries, truth, files


def report(result):
    m, engines = result["machine"], result["engines"]
    number = lambda x: "–" if x is None else f"{x:,.0f}"
    size = lambda x: f"{x / 2**20:.1f} MiB"
    lines = [
        f"# wordnet, {result['date']}", "",
        f"{result['rows']:,} rows of {result['dim']} components, {result['queries']:,} queries, cosine, k = {K}, M {M}, "
        f"efConstruction {EF_CONSTRUCTION}, one thread, seconds of wall time.",
        f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB; of its SIMD: {', '.join(m['simd'])}. "
        f"Load (1 min) before {result['load_before']:.2f}, after {result['load_after']:.2f}. pagevec commit {result['commit']}.",
        "", f"Sweeps took turns, {result['rounds']} rounds; a speed is the median of its rounds. Speed at a recall: "
        "log(queries/s) linear in recall between the two points of the sweep around it.", "",
        "| engine | kernels | build, vectors/s | bytes | " + " | ".join(f"queries/s at {r}" for r in RECALLS) + " |",
        "|---|---|---|---|" + "---|" * len(RECALLS),
    ]
    for name, e in engines.items():
        f = e["facts"]
        at = " | ".join(number(e["qps_at"][str(r)]) for r in RECALLS)
        lines.append(f"| {name} | {f['kernels']} | {number(f['vectors_per_second'])} | {size(f['file_bytes'])} | "
                     f"{at} |")
    lines += ["", "Bytes are those of the saved index, all of which searching holds in memory (pagevec maps it). hnswlib "
              "searches all queries in one call; pagevec is timed query by query.", ""]
    for name, e in engines.items():
        lines += [f"## {name}", "", "| ef | recall@10 | queries/s | of each round |", "|---|---|---|---|"]
        for r in e["sweep"]:
            lines.append(f"| {r['ef']} | {r['recall']:.4f} | {number(r['qps'])} | "
                         f"{', '.join(map(number, r['qps_of_rounds']))} |")
        lines.append("")
    return "\n".join(lines)


def main():
    o = options()
    load = os.getloadavg()[0]
    if "PAGEVEC_RACE" not in os.environ:
        if load > 0.5 and not o.busy:
            sys.exit(f"the load is {load:.2f}: wait until the machine has nothing else to do, or give --busy")
        in_venv()
    tool = pagevec_tool(o.pagevec)
    base, queries, truth, files = load_vectors(o)
    engines = [Pagevec(tool, codec, files, HOME / "index") for codec in o.codecs.split(",")]
    engines.append(Hnswlib(base, queries, truth))
    sweeps = {e.name: [] for e in engines}
    for turn in range(o.rounds):
        # Each round begins with another engine: none is always first after a pause.
        for engine in engines[turn % len(engines):] + engines[: turn % len(engines)]:
            sweeps[engine.name].append(engine.sweep())
            print(f"round {turn + 1}: {engine.name}", file=sys.stderr)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    result = {
        "date": datetime.date.today().isoformat(), "commit": commit.strip(), "machine": machine(), "load_before": load,
        "load_after": os.getloadavg()[0], "rows": len(base), "dim": base.shape[1], "queries": len(queries), "k": K,
        "rounds": o.rounds, "engines": {},
    }
    for engine in engines:
        rows = median(sweeps[engine.name])
        at = {str(r): speed_at(rows, r) for r in RECALLS}
        result["engines"][engine.name] = {"facts": engine.facts, "qps_at": at, "sweep": rows}
    out = o.out or (HOME if o.rows else ROOT / "benches/results" / result["date"])
    out.mkdir(parents=True, exist_ok=True)
    (out / "wordnet.json").write_text(json.dumps(result, indent=1) + "\n")
    (out / "wordnet.md").write_text(report(result))
    print(report(result))
    print(f"written to {out}", file=sys.stderr)


if __name__ == "__main__":
    main()
