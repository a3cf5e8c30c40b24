"""One case from one seed: pagevec by every route, hnswlib and faiss beside it, all against the exact answer in float64."""
import json
import pathlib
import shutil
import subprocess
import time

import faiss
import hnswlib
import numpy as np

M, EF_CONSTRUCTION, EF = 16, 200, 100
ROUTES = {
    "scan": ["--index", "flat"],
    "graph": ["--index", "hnsw", "--ef", str(EF)],
    "clusters 0.95": ["--index", "clusters"],
    "clusters 0.99": ["--index", "clusters", "--recall", "0.99"],
    "auto": ["--index", "auto"],
}
COLD = 6  # queries that are asked of a file of which nothing has been read


def exact(rows, queries, metric):
    """Of each query the score of each row; larger is nearer."""
    rows, queries = rows.astype(np.float64), queries.astype(np.float64)
    if metric == "l2":
        # Not by the products of vectors: far clusters would leave few digits of a distance.
        return np.stack([-np.square(rows - query).sum(1) for query in queries])
    if metric == "cosine":
        rows, queries = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (rows, queries))
    return queries @ rows.T


class Truth:
    def __init__(self, scores):
        self.scores = scores

    def recall(self, found, k):
        """Mean over the queries, and over their worst tenth. A row as near as the k-th counts."""
        k = min(k, self.scores.shape[1])
        kth = -np.partition(-self.scores, k - 1, axis=1)[:, k - 1]
        least = kth - 1e-9 * np.maximum(np.abs(kth), 1)
        recalls = np.sort([np.sum(scores[np.unique(ids)] >= limit) / k
                           for scores, ids, limit in zip(self.scores, found, least)])
        return {"mean": float(recalls.mean()), "worst_tenth": float(recalls[:-(-len(recalls) // 10)].mean())}


def pagevec(tool, *arguments):
    return subprocess.run([str(a) for a in (tool, *arguments)], capture_output=True, text=True)


def build(tool, rows, folder, metric, codec):
    done = pagevec(tool, "build", rows, "--metric", metric, "--codec", codec, "--threads", 1, "-o", folder, "--json")
    if done.returncode:
        raise RuntimeError(f"pagevec build ended with {done.returncode}: {done.stderr.strip()}")
    built = json.loads(done.stdout)
    told = built.get("warnings") or [line for line in done.stderr.splitlines() if "warn" in line.lower()]
    return built, [str(warning) for warning in told]


def search(tool, folder, queries, k, *arguments):
    done = pagevec(tool, "search", folder, "--vector-file", queries, "-k", k, "--json", "--explain", *arguments)
    if done.returncode:
        raise RuntimeError(f"pagevec search ended with {done.returncode}: {done.stderr.strip()} {done.stdout[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def cold_bytes(tool, folder, queries, home):
    total = 0
    for query in queries[:COLD]:
        np.save(home / "one.npy", query[None])
        total += search(tool, folder, home / "one.npy", 10, *ROUTES["clusters 0.95"], "--io", "pread")[0]["explain"]["bytes"]
    return total / len(queries[:COLD])


def ours(case, rows, queries, truth, tool, home):
    np.save(home / "rows.npy", rows)
    np.save(home / "queries.npy", queries)
    for codec in case.codecs:
        folder = home / codec
        started = time.perf_counter()
        built, warnings = build(tool, home / "rows.npy", folder, case.metric, codec)
        facts = {"engine": "pagevec", "codec": codec, "build_seconds": time.perf_counter() - started,
                 "file_bytes": built["bytes"], "warnings": warnings, "cold_bytes": cold_bytes(tool, folder, queries, home)}
        for k in case.ks:
            for route, arguments in ROUTES.items():
                answers = search(tool, folder, home / "queries.npy", k, *arguments)
                ids = [[hit["id"] for hit in answer["hits"]] for answer in answers]
                explain = [answer["explain"] for answer in answers]
                mean = lambda name: float(np.mean([e[name] for e in explain]))
                yield {**facts, "k": k, "route": route, **truth.recall(ids, k), "distances": mean("distances"),
                       "rescored": mean("rescored"), "microseconds": mean("microseconds"),
                       "answered": sorted({e["index"] for e in explain})}
        shutil.rmtree(folder)


def of_hnswlib(case, rows, queries, truth):
    index = hnswlib.Index(space={"cosine": "cosine", "dot": "ip", "l2": "l2"}[case.metric], dim=rows.shape[1])
    index.init_index(max_elements=len(rows), M=M, ef_construction=EF_CONSTRUCTION)
    index.add_items(rows, num_threads=1)
    for k in case.ks:
        index.set_ef(max(EF, k))
        try:
            found = index.knn_query(queries, k=k, num_threads=1)[0]
        except RuntimeError:  # it reached fewer than k rows of some query
            found = [one(index, query, k) for query in queries]
        yield {"engine": "hnswlib", "k": k, **truth.recall(found, k)}


def one(index, query, k):
    """As many of the k rows as it reaches."""
    while k:
        try:
            return index.knn_query(query[None], k=k, num_threads=1)[0][0]
        except RuntimeError:
            k //= 2
    return np.zeros(0, int)


def of_faiss(case, rows, queries, truth):
    """A scan of eight bits a component."""
    if case.metric == "cosine":
        rows, queries = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (rows, queries))
    metric = faiss.METRIC_L2 if case.metric == "l2" else faiss.METRIC_INNER_PRODUCT
    index = faiss.IndexScalarQuantizer(rows.shape[1], faiss.ScalarQuantizer.QT_8bit, metric)
    index.train(rows)
    index.add(rows)
    for k in case.ks:
        yield {"engine": "faiss", "k": k, **truth.recall(index.search(queries, min(k, len(rows)))[1], k)}


def measure(case, seed, tool, home, peers=True):
    """Every row of the result; `home` is a folder for this case alone."""
    home = pathlib.Path(home)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    faiss.omp_set_num_threads(1)
    rows, queries = case.data(seed)
    truth = Truth(exact(rows, queries, case.metric))
    found = list(ours(case, rows, queries, truth, tool, home))
    if peers:
        found += [*of_hnswlib(case, rows, queries, truth), *of_faiss(case, rows, queries, truth)]
    shutil.rmtree(home)
    facts = {"kind": case.kind, "case": case.name, "metric": case.metric, "rows": len(rows), "dim": rows.shape[1], "seed": seed}
    return [{**facts, **row} for row in found]
