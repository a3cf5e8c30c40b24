"""The engines of the native race: one file a family. Each class has build, load and search, and nothing else.

| name | what it is |
|---|---|
| `build(base, path)` | from unit rows in float32, one thread; writes the index to `path`, a file or a folder |
| `load(path)` | from that file into memory; after it `search` answers at once |
| `search(queries, k, param)` | row numbers, `len(queries)` x k, in one call of the library where it has one |

`param` is what the family sweeps: ef, search window or nprobe. pagevec is a program, not a Python module: see pagevec_engine.py.
"""
import importlib

M, EF_CONSTRUCTION = 16, 200
EFS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640]
PROBES = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]

# name: file, its arguments, what is swept
ENGINES = {
    "pagevec sq8": ("pagevec", {"codec": "sq8", "clusters": True}, EFS),
    "pagevec sq8, graph only": ("pagevec", {"codec": "sq8"}, EFS),
    "pagevec sq8, f16 rows": ("pagevec", {"codec": "sq8", "refine": "f16"}, EFS),
    "pagevec binary, sq8 rows": ("pagevec", {"codec": "binary", "clusters": True}, EFS),
    "hnswlib": ("hnswlib", {}, EFS),
    "faiss HNSW flat": ("faiss", {"kind": "HNSW16"}, EFS),
    "faiss HNSW SQ8": ("faiss", {"kind": "HNSW16_SQ8"}, EFS),
    "faiss IVF-PQ-FastScan, refined": ("faiss", {"kind": "IVF{lists},PQ{half}x4fs,RFlat", "refine": 6}, PROBES),
    # Its FastScan is slower here than the plain one.
    "faiss IVF-RaBitQ, refined": ("faiss", {"kind": "IVF{lists},RaBitQ,RFlat", "refine": 8}, PROBES),
    "usearch f32": ("usearch", {"dtype": "f32"}, EFS),
    "usearch i8": ("usearch", {"dtype": "i8"}, EFS),
    "SVS Vamana f32": ("svs", {"kind": "f32"}, EFS),
    "SVS Vamana f16": ("svs", {"kind": "f16"}, EFS),
    "SVS Vamana LVQ8": ("svs", {"kind": "lvq8"}, EFS),
    "VSAG HNSW f32": ("vsag", {"kind": "hnsw"}, EFS),
    "VSAG HGraph SQ8": ("vsag", {"kind": "hgraph"}, EFS),
}


def engine(name, **more):
    file, arguments, _ = ENGINES[name]
    return importlib.import_module(f"native.{file}_engine").Engine(**arguments, **more)
