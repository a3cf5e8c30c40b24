"""Rows of seeds into lines, and lines into the table: Markdown and JSON."""
import json

import numpy as np

from goals import below

COLUMNS = ("scan", "graph", "clusters 0.95", "clusters 0.99", "auto", "hnswlib", "faiss")
ABOUT = {
    "far": "Clusters far apart (l2, 20 clusters)",
    "places": "Few components",
    "topics": "Tight topics (20; two rows of one have a cosine of about 1 / (1 + spread²))",
    "wide": "One component 30 times as wide",
    "lengths": "Rows of unequal length (dot)",
    "copies": "Copies and near-copies",
    "behind": "Rows behind a clump of near-copies",
    "equal": "Many equal rows",
    "ordinary": "Ordinary rows, several k",
    "wordnet": "Wordnet, real text queries",
}


def group(rows, *names):
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row.get(name) for name in names), []).append(row)
    return groups


def over_seeds(rows):
    numbers = ("mean", "worst_tenth", "distances", "rescored", "microseconds")
    return {name: float(np.mean([row[name] for row in rows])) for name in numbers if name in rows[0]}


def lines(rows, usual_rows):
    """A line for each case, k and codec, with the means over the seeds; beside it the same over ordinary rows."""
    usual = {key: line for key, line in ((like(line), line) for line in merged(usual_rows))}
    return [{**line, "usual": usual.get(like(line))} for line in merged(rows)]


def like(line):
    return tuple(line[name] for name in ("metric", "rows", "dim", "k", "codec"))


def merged(rows):
    found = []
    of = group(rows, "kind", "case", "metric", "k")
    for (kind, case, metric, k), those in of.items():
        engines = group(those, "engine")
        for (codec,), mine in group(engines[("pagevec",)], "codec").items():
            line = {"kind": kind, "case": case, "metric": metric, "k": k, "codec": codec}
            line |= {name: mine[0][name] for name in ("rows", "dim")}
            line["cold_bytes"] = float(np.mean([row["cold_bytes"] for row in mine]))
            line["build_seconds"] = float(np.mean([row["build_seconds"] for row in mine]))
            line["warnings"] = mine[0]["warnings"]
            line["answered"] = sorted({name for row in mine if row["route"] == "auto" for name in row["answered"]})
            line |= {route: over_seeds(those) for (route,), those in group(mine, "route").items()}
            line |= {name: over_seeds(engines[(name,)]) for name in ("hnswlib", "faiss") if (name,) in engines}
            found.append(line)
    return found


def recalls(found):
    out = ["| data | k | codes | " + " | ".join(COLUMNS) + " |", "|" + "---|" * (3 + len(COLUMNS))]
    for line in found:
        cells = [f"{line[name]['mean']:.3f} ({line[name]['worst_tenth']:.2f})" for name in COLUMNS]
        cells[4] += f" {', '.join(line['answered'])}"
        out.append(f"| {line['case']}, {line['metric']} | {line['k']} | {line['codec']} | " + " | ".join(cells) + " |")
    return out


def costs(found):
    """Of the graph and the clusters: rows scored, rows ranked again, and against ordinary rows."""
    out = ["| data | k | codes | graph: scored | ranked again | of ordinary | clusters: scored | ranked again | of ordinary | "
           "cold bytes, k 10 | of ordinary | build, s |", "|" + "---|" * 12]
    for line in found:
        cells, usual = [], line["usual"]
        part = lambda mine, other: f"{mine / other:.2f}x" if usual and other else "–"
        for route in ("graph", "clusters 0.95"):
            mine = line[route]
            cells += [f"{mine['distances']:,.0f}", f"{mine['rescored']:,.0f}",
                      part(mine["distances"], usual[route]["distances"] if usual else 0)]
        cells += [f"{line['cold_bytes']:,.0f}", part(line["cold_bytes"], usual["cold_bytes"] if usual else 0),
                  f"{line['build_seconds']:.1f}"]
        out.append(f"| {line['case']}, {line['metric']} | {line['k']} | {line['codec']} | " + " | ".join(cells) + " |")
    return out


def markdown(result):
    m, versions = result["machine"], result["versions"]
    found, missed = result["lines"], below(result["lines"])
    out = [
        f"# Odd data, {result['date']}", "",
        f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB; of its SIMD: {', '.join(m['simd'])}. pagevec commit "
        f"{result['commit']}; {', '.join(f'{name} {version}' for name, version in versions.items())}. Seeds "
        f"{', '.join(map(str, result['seeds']))}; {result['minutes']:.0f} minutes. `cargo xtask bench odd` writes this; "
        "[what is measured](../../odd/README.md).", "",
        "Recall against the exact answer, a row as near as the k-th counting: the mean over the queries, and in brackets over "
        "their worst tenth, both means over the seeds. pagevec is built with default options and the codes named; hnswlib with "
        "M 16, efConstruction 200, ef 100 (k if that is more); faiss scans eight bits a component.", "",
        "## Below the goal", "", *([f"- {text}" for text in missed] or ["Nothing."]), "",
    ]
    for kind, about in ABOUT.items():
        of_kind = [line for line in found if line["kind"] == kind]
        if of_kind:
            out += [f"## {about}", "", f"{of_kind[0]['rows']:,} rows; components: "
                    f"{', '.join(map(str, sorted({line['dim'] for line in of_kind})))}.", "", *recalls(of_kind), ""]
    out += ["## What it costs", "",
            "Per query: codes scored, candidates ranked again by finer scores, bytes that a first search by clusters reads of a file "
            "of which only the front is here; and all against ordinary rows of the same number, dimension and metric.", "", *costs(found), ""]
    return "\n".join(out)


def write(result, path):
    """`path` without an ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    path.with_suffix(".md").write_text(markdown(result))
