"""Recall against queries per second as an SVG: log y, a line for each engine with its name at the end."""
import math

WIDTH, HEIGHT = 960, 600
LEFT, RIGHT, TOP, BOTTOM = 64, 250, 34, 48
FROM, TO = 0.80, 0.997  # recall; what lies below is of no use to anyone
FAMILIES = [("pagevec", "#d9480f"), ("hnswlib", "#1c7ed6"), ("faiss", "#2f9e44"), ("usearch", "#9c36b5"), ("SVS", "#0c8599"),
            ("VSAG", "#868e96")]
DASHES = ["", "7 4", "2 3", "9 3 2 3"]


def svg(result):
    curves = []
    seen = {}
    for name, e in result["engines"].items():
        family, colour = next((f for f in FAMILIES if name.startswith(f[0])), ("", "#888"))
        dash = DASHES[seen.get(family, 0) % len(DASHES)]
        seen[family] = seen.get(family, 0) + 1
        points = [(p["recall"], p["qps"]) for p in e["sweep"]]
        points = [p for i, p in enumerate(points) if p[0] >= FROM or points[i + 1:i + 2] and points[i + 1][0] > FROM]
        if len(points) > 1:
            curves.append((name, family, colour, dash, points))
    speeds = [s for *_, points in curves for r, s in points if r >= FROM]
    low, high = math.floor(math.log10(min(speeds)) * 4) / 4, math.ceil(math.log10(max(speeds)) * 4) / 4
    # Equal ways to the right are equal factors less of what is missed.
    missed = lambda r: -math.log10(1 - min(r, TO))
    x = lambda r: LEFT + (missed(r) - missed(FROM)) / (missed(TO) - missed(FROM)) * (WIDTH - LEFT - RIGHT)
    y = lambda s: TOP + (high - math.log10(s)) / (high - low) * (HEIGHT - TOP - BOTTOM)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif" font-size="12">',
        # GitHub shows the file as a picture: it must be readable on both its backgrounds by itself.
        "<style>text{fill:#1f2328}.grid{stroke:#1f2328;stroke-opacity:.14}.ground{fill:#fff}"
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#e6edf3}.ground{fill:#0d1117}}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<clipPath id="c"><rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"/></clipPath>',
        f'<text x="{LEFT}" y="20" font-size="14" font-weight="600">{result["name"]}: {result["rows"]:,} x {result["dim"]}, k = 10, one '
        "thread: queries per second (log) against recall@10</text>",
    ]
    for recall in (0.80, 0.85, 0.90, 0.95, 0.97, 0.98, 0.99, 0.995):
        out.append(f'<line class="grid" x1="{x(recall):.1f}" x2="{x(recall):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        out.append(f'<text x="{x(recall):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{recall:g}</text>')
    for power in range(math.floor(low), math.ceil(high) + 1):
        for digit in (1, 2, 5):
            speed = digit * 10**power
            if low <= math.log10(speed) <= high:
                out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(speed):.1f}" y2="{y(speed):.1f}"/>')
                out.append(f'<text x="{LEFT - 6}" y="{y(speed) + 4:.1f}" text-anchor="end">{speed:,}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">recall@10</text>')
    # pagevec last, above the others.
    for name, family, colour, dash, points in sorted(curves, key=lambda c: c[1] == "pagevec"):
        path = " ".join(f"{x(r):.1f},{y(s):.1f}" for r, s in points)
        thick = 3.5 if family == "pagevec" else 1.6
        out.append(f'<polyline clip-path="url(#c)" points="{path}" fill="none" stroke="{colour}" stroke-width="{thick}" '
                   f'stroke-dasharray="{dash}" stroke-linejoin="round"/>')
    out += labels([(name, family, colour, dash, x(points[-1][0]), y(points[-1][1])) for name, family, colour, dash, points in curves])
    return "\n".join([*out, "</svg>"]) + "\n"


def labels(ends):
    """Names beside the ends of their lines, moved apart, with a thin line to where they belong."""
    out, gap = [], 17
    ends = sorted(ends, key=lambda e: e[5])
    places = [e[5] for e in ends]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    over = places[-1] - (HEIGHT - BOTTOM)
    if over > 0:
        places[-1] -= over
        for i in range(len(places) - 2, -1, -1):
            places[i] = min(places[i], places[i + 1] - gap)
    for (name, family, colour, dash, end_x, end_y), place in zip(ends, places):
        start = WIDTH - RIGHT + 10
        bold = ' font-weight="700"' if family == "pagevec" else ""
        out.append(f'<path d="M{end_x:.1f} {end_y:.1f}L{start} {place:.1f}" stroke="{colour}" stroke-opacity=".35" fill="none"/>')
        out.append(f'<path d="M{start} {place:.1f}h22" stroke="{colour}" stroke-width="{3.5 if bold else 1.6}" stroke-dasharray="{dash}"/>')
        out.append(f'<text x="{start + 28}" y="{place + 4:.1f}"{bold}>{name}</text>')
    return out
