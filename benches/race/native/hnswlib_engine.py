"""hnswlib: HNSW over float32, compiled on this machine with -march=native."""
import hnswlib

from native import EF_CONSTRUCTION, M


class Engine:
    def build(self, base, path):
        index = hnswlib.Index(space="ip", dim=base.shape[1])
        index.init_index(max_elements=len(base), M=M, ef_construction=EF_CONSTRUCTION)
        index.add_items(base, num_threads=1)
        index.save_index(str(path))

    def load(self, path, dim):
        self.index = hnswlib.Index(space="ip", dim=dim)
        self.index.load_index(str(path))
        self.index.set_num_threads(1)

    def search(self, queries, k, ef):
        self.index.set_ef(ef)
        return self.index.knn_query(queries, k=k, num_threads=1)[0]
