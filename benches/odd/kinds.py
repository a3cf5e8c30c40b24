"""The kinds of odd data, each from a seed: rows as other engines' users report them, and held-out queries drawn alike.

The kinds are those of tests/support/odd.rs, at the sizes that people have. A kind is a list of cases; `wordnet` is real.
"""
import dataclasses
import os
import pathlib
import zlib
from functools import partial

import numpy as np

QUERIES = 200
ALL_K = (1, 10, 100, 1000)


@dataclasses.dataclass(frozen=True)
class Case:
    kind: str
    name: str
    metric: str
    draw: partial  # a seeded generator in, rows and queries out
    ks: tuple = (10,)
    codecs: tuple = ("sq8",)

    def data(self, seed):
        """The same for one seed, whichever cases run beside it."""
        rng = np.random.default_rng([seed, zlib.crc32(f"{self.kind} {self.name}".encode())])
        rows, queries = self.draw(rng)
        return np.ascontiguousarray(rows, np.float32), np.ascontiguousarray(queries, np.float32)


def around(rng, count, dim, centres, apart, spread):
    """So many rows and the queries, around centres `apart` from each other."""
    middle = rng.normal(size=(centres, dim)) * apart
    total = count + QUERIES
    return middle[rng.integers(0, centres, total)] + spread * rng.normal(size=(total, dim))


def split(drawn, queries=QUERIES):
    return drawn[:-queries], drawn[-queries:]


def ordinary(count, dim, rng):
    """200 centres as far apart as their rows are wide: what an index finds easy."""
    return split(around(rng, count, dim, 200, 1.0, 0.8))


def far(ratio, rng):
    return split(around(rng, 10_000, 64, 20, ratio, 1.0))


def topics(spread, rng):
    return split(around(rng, 10_000, 384, 20, 1.0, spread))


def wide(rng):
    """One component 30 times as wide as the others."""
    drawn = around(rng, 10_000, 64, 200, 1.0, 0.8)
    drawn[:, 7] *= 30
    return split(drawn)


def places(rng):
    return split(rng.uniform([-180, -85], [180, 85], (10_000 + QUERIES, 2)))


def points(rng):
    return split(rng.uniform(0, 1000, (10_000 + QUERIES, 3)))


def lengths(sigma, longest, rng):
    """Factors as recommenders have them: a falling spectrum, and a popularity in each row's length."""
    spectrum = 1 / np.sqrt(1 + np.arange(64))
    rows = rng.normal(size=(10_000, 64)) * spectrum * np.exp(sigma * rng.normal(size=(10_000, 1)))
    rows[7] *= longest
    return rows, rng.normal(size=(QUERIES, 64)) * spectrum


def categories(count, distinct, rng):
    """One-hot rows; the queries are categories."""
    eye = np.eye(distinct, dtype=np.float32)
    return eye[rng.integers(0, distinct, count)], eye[:QUERIES]


def copies(distinct, noise, rng):
    return split(around(rng, 10_000, 48, distinct, 1.0, noise))


def behind(rng):
    """Rows behind a clump of near-copies; queries lie beside them."""
    clump = 1 + 1e-4 * rng.normal(size=(6000, 48))
    rows = 5 * rng.normal(size=(QUERIES, 48))
    return np.vstack([clump, rows]), rows + 0.01 * rng.normal(size=rows.shape)


def equal(rng):
    """A quarter of the rows is one and the same."""
    drawn = around(rng, 10_000, 64, 200, 1.0, 0.8)
    drawn[:2500] = drawn[0]
    return split(drawn)


def wordnet(folder, rng):
    """The first 20,000 rows, of which the real text queries are farther than of all."""
    rows = np.load(folder / "base.f16.npy", mmap_mode="r")[:20_000]
    queries = np.load(folder / "queries.f16.npy", mmap_mode="r")
    return rows, queries[np.sort(rng.choice(len(queries), 500, replace=False))]


def cases():
    every = ("sq8", "f16", "f32")
    found = [
        *(Case("far", f"clusters {ratio}:1", "l2", partial(far, ratio), (1, 10), every) for ratio in (1, 3, 10, 30, 100, 1000)),
        Case("places", "longitude, latitude", "l2", places, (10,), every),
        Case("places", "points in a cube", "l2", points, (10,), every),
        *(Case("topics", f"spread {spread}", "cosine", partial(topics, spread), ALL_K if spread == 0.3 else (10,))
          for spread in (0.05, 0.1, 0.2, 0.3, 0.5, 1)),
        Case("wide", "one wide component", "cosine", wide, (10,), ("sq8", "f32")),
        *(Case("lengths", f"sigma {sigma}", "dot", partial(lengths, sigma, 1), ALL_K if sigma == 0.6 else (10,),
               ("sq8", "f32") if sigma == 0.6 else ("sq8",)) for sigma in (0.1, 0.2, 0.4, 0.6, 1.0)),
        Case("lengths", "sigma 0.6, one row 50 times longer", "dot", partial(lengths, 0.6, 50), (10,), ("sq8", "f32")),
        Case("copies", "64 categories", "cosine", partial(categories, 20_000, 64)),
        Case("copies", "256 categories", "cosine", partial(categories, 20_000, 256)),
        Case("copies", "256 categories", "l2", partial(categories, 20_000, 256)),
        *(Case("copies", f"250 rows, noise {noise}", metric, partial(copies, 250, noise), (10,), ("sq8", "f32") if noise else ("sq8",))
          for metric, noise in (("l2", 0.0), ("cosine", 0.0), ("l2", 0.001), ("cosine", 0.01), ("l2", 0.1))),
        Case("behind", "behind a clump", "l2", behind, (1, 10), ("sq8", "f32")),
        Case("equal", "a quarter equal", "l2", equal),
        Case("equal", "a quarter equal", "cosine", equal),
        *(Case("ordinary", f"{dim} components", metric, partial(ordinary, 10_000, dim), ALL_K)
          for metric, dim in (("cosine", 384), ("l2", 64), ("dot", 64), ("cosine", 64))),
    ]
    if data := os.environ.get("PAGEVEC_DATA"):
        found.append(Case("wordnet", "first 20,000 rows", "cosine", partial(wordnet, pathlib.Path(data) / "wordnet"), ALL_K))
    return found


def usual(cases):
    """Ordinary rows as many and as wide as those of each case, to compare costs with."""
    wanted = {}
    for case in cases:
        if case.kind not in ("ordinary", "wordnet"):
            ks, codecs = wanted.setdefault((case.metric, *case.data(1)[0].shape), (set(), set()))
            ks.update(case.ks)
            codecs.update(case.codecs)
    return [Case("usual", f"{rows} x {dim}", metric, partial(ordinary, rows, dim), tuple(sorted(ks)), tuple(sorted(codecs)))
            for (metric, rows, dim), (ks, codecs) in wanted.items()]
