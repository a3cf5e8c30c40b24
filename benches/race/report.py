"""The table of a race: Markdown and JSON from its result. Speeds at a recall are read off the curve."""
import json
import math

import plot

RECALLS = [0.95, 0.99]


def speed_at(sweep, recall, speed="qps"):
    """Queries/s where the curve first reaches the recall, log(queries/s) linear in recall between two points; None if it
    does not reach it, or starts above it."""
    for low, high in zip(sweep, sweep[1:]):
        if low["recall"] < recall <= high["recall"]:
            part = (recall - low["recall"]) / (high["recall"] - low["recall"])
            return math.exp(math.log(low[speed]) * (1 - part) + math.log(high[speed]) * part)
    return None


def number(x, digits=0):
    return "–" if x is None else f"{x:,.{digits}f}"


def table(result):
    rows = result["rows"]
    first = next(iter(result["engines"].values()))
    ours = [speed_at(first["sweep"], r) for r in RECALLS]
    lines = [
        "| engine | queries/s at 0.95 | of pagevec sq8 | at 0.99 | of pagevec sq8 | p50, p99 at 0.95, µs | build, vectors per CPU second | load, ms | "
        "memory, bytes/vector | file, bytes/vector |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, e in result["engines"].items():
        if e["failed"]:
            lines.append(f"| {name} | did not run: {e['failed']} |" + " |" * 8)
            continue
        cells = [name]
        for mine, recall in zip(ours, RECALLS):
            at = speed_at(e["sweep"], recall)
            best = max(p["recall"] for p in e["sweep"])
            cells.append(number(at) if at or best >= recall else f"(best {best:.4f})")
            cells.append(number(at / mine, 2) if at and mine else "–")
        single = e.get("single")
        cells.append(f"{number(single['p50_us'])}, {number(single['p99_us'])}" if single else "–")
        cells.append(number(rows / e["build"]["cpu_seconds"]))
        cells.append(number(e["load"]["seconds"] * 1000))
        cells.append(number(e["memory"]["bytes"] / rows))
        cells.append(number(e["build"]["bytes"] / rows))
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def sweeps(result):
    lines = []
    for name, e in result["engines"].items():
        if not e["sweep"]:
            continue
        lines += [f"## {name}", "", "| ef, window or nprobe | recall@10 | queries/s | of each round |", "|---|---|---|---|"]
        lines += [f"| {p['param']} | {p['recall']:.4f} | {number(p['qps'])} | {', '.join(map(number, p['rounds']))} |" for p in e["sweep"]]
        lines.append("")
    return lines


def markdown(result, picture):
    m = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items() if name != "numpy")
    return "\n".join([
        f"# The race on {result['name']}, {result['date']}", "",
        f"{result['rows']:,} rows of {result['dim']} components, {result['queries']:,} queries, cosine, k = {result['k']}, M "
        f"{result['m']} (degree {2 * result['m']}), efConstruction {result['ef_construction']}, one thread, one core.",
        f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB; of its SIMD: {', '.join(m['simd'])}. Load (1 min) before "
        f"{result['load'][0]:.2f}, after {result['load'][1]:.2f}. pagevec commit {result['commit']}; {versions}.", "",
        f"Sweeps took turns point by point, {result['rounds']} rounds; a speed is the best of its rounds, in queries per second of the core, "
        "which other work on the machine does not take from. "
        "[What is counted](../../race/README.md#what-is-counted).", "",
        f"![recall@10 and queries per second]({picture})", "", *table(result), "", *sweeps(result)])


def write(result, path):
    """`path` without an ending."""
    path.with_suffix(".json").write_text(json.dumps(result, indent=1, default=str) + "\n")
    path.with_suffix(".svg").write_text(plot.svg(result))
    path.with_suffix(".md").write_text(markdown(result, path.with_suffix(".svg").name))
