"""faiss: HNSW over float32 and over bytes; inverted lists of short codes whose candidates are ranked by float32 rows."""
import faiss

from native import EF_CONSTRUCTION

faiss.omp_set_num_threads(1)


class Engine:
    def __init__(self, kind, refine=0):
        self.kind, self.refine = kind, refine

    def build(self, base, path):
        lists = 1 << (int(2 * len(base) ** 0.5).bit_length() - 1)  # between 1 and 2 roots of the rows: best of those tried
        kind = self.kind.format(lists=lists, half=base.shape[1] // 2)
        # Of unit vectors L2 gives the order of the cosine.
        index = faiss.index_factory(base.shape[1], kind, faiss.METRIC_L2)
        if not self.refine:
            index.hnsw.efConstruction = EF_CONSTRUCTION
        index.train(base)
        index.add(base)
        faiss.write_index(index, str(path))

    def load(self, path, dim):
        self.index = faiss.read_index(str(path))

    def search(self, queries, k, param):
        if self.refine:
            lists = faiss.SearchParametersIVF(nprobe=param)
            params = faiss.IndexRefineSearchParameters(k_factor=self.refine, base_index_params=lists)
        else:
            params = faiss.SearchParametersHNSW(efSearch=param)
        return self.index.search(queries, k, params=params)[1]
