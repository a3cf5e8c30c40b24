"""VSAG: HNSW over float32 and HGraph over bytes. Its Python module has no call for many queries: each is one call."""
import json

import numpy as np
import pyvsag

from native import EF_CONSTRUCTION, M

pyvsag.set_logger_off()


class Engine:
    def __init__(self, kind):
        self.kind = kind

    def empty(self, dim):
        graph = {"max_degree": 2 * M, "ef_construction": EF_CONSTRUCTION}
        # sq8_uniform under "ip" finds next to nothing in this version; of unit vectors l2 gives the same order.
        parameters = {"dtype": "float32", "metric_type": "l2", "dim": dim}
        if self.kind == "hnsw":
            parameters["hnsw"] = graph
        else:
            parameters["index_param"] = {"base_quantization_type": "sq8_uniform", "build_thread_count": 1, **graph}
        return pyvsag.Index(self.kind, json.dumps(parameters))

    def build(self, base, path):
        index = self.empty(base.shape[1])
        index.build(vectors=base, ids=np.arange(len(base)), num_elements=len(base), dim=base.shape[1])
        index.save(str(path))

    def load(self, path, dim):
        self.index = self.empty(dim)
        self.index.load(str(path))

    def search(self, queries, k, ef):
        how = json.dumps({self.kind: {"ef_search": ef}})
        out = np.full((len(queries), k), -1, np.int64)
        for row, query in zip(out, queries):
            ids = self.index.knn_search(vector=query, k=k, parameters=how)[0]
            row[: len(ids)] = ids
        return out
