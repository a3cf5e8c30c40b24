"""usearch: HNSW over float32 or over bytes."""
import numpy as np
from usearch.index import Index

from native import EF_CONSTRUCTION, M


class Engine:
    def __init__(self, dtype):
        self.dtype = dtype

    def empty(self, dim):
        return Index(ndim=dim, metric="cos", dtype=self.dtype, connectivity=M, expansion_add=EF_CONSTRUCTION)

    def build(self, base, path):
        index = self.empty(base.shape[1])
        index.add(np.arange(len(base)), base, threads=1)
        index.save(str(path))

    def load(self, path, dim):
        self.index = self.empty(dim)
        self.index.load(str(path))

    def search(self, queries, k, ef):
        self.index.expansion_search = ef
        return self.index.search(queries, k, threads=1).keys.reshape(len(queries), k).astype(np.int64)
