"""Intel SVS: a Vamana graph over float32, float16, or LVQ codes of 8 bits, which run on Intel's processors only."""
import tempfile

import numpy as np
import svs

from native import EF_CONSTRUCTION, M


class Engine:
    def __init__(self, kind):
        self.kind = kind

    def build(self, base, path):
        # 0.95 is what SVS advises for a similarity that grows.
        how = svs.VamanaBuildParameters(alpha=0.95, graph_max_degree=2 * M, window_size=EF_CONSTRUCTION)
        rows = base.astype(np.float16) if self.kind == "f16" else base
        if self.kind == "lvq8":
            with tempfile.TemporaryDirectory() as folder:
                svs.write_vecs(base, f"{folder}/base.fvecs")
                rows = svs.LVQLoader(svs.VectorDataLoader(f"{folder}/base.fvecs", svs.DataType.float32), primary=8)
                index = svs.Vamana.build(how, rows, svs.DistanceType.MIP, num_threads=1)
        else:
            index = svs.Vamana.build(how, rows, svs.DistanceType.MIP, num_threads=1)
        index.save(f"{path}/config", f"{path}/graph", f"{path}/data")

    def load(self, path, dim):
        if self.kind == "lvq8":
            data = svs.LVQLoader(f"{path}/data")
        else:
            data = svs.VectorDataLoader(f"{path}/data", getattr(svs.DataType, {"f32": "float32", "f16": "float16"}[self.kind]))
        self.index = svs.Vamana(f"{path}/config", svs.GraphLoader(f"{path}/graph"), data, svs.DistanceType.MIP, num_threads=1)

    def search(self, queries, k, window):
        self.index.search_window_size = window
        return self.index.search(queries, k)[0].astype(np.int64)
