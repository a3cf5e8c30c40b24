"""The peers that benchmarks compare with: their versions, installed into a folder of their own; and the machine."""
import os
import pathlib
import subprocess
import sys
import venv

# What pip installs.
VERSIONS = {"numpy": "2.4.6", "hnswlib": "0.8.0", "faiss-cpu": "1.15.1", "usearch": "2.26.6", "scalable-vs": "0.5.0",
            "pyvsag": "0.18.5"}
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}
INSIDE = "PAGEVEC_PEERS"


def enter(home, names, needed=()):
    """Runs this script again with the packages. What cannot be installed is told, and ends the run if it is needed."""
    if INSIDE in os.environ:
        return
    folder = pathlib.Path(home) / "venv"
    python, ready = folder / "bin/python", folder / "ready"
    wanted = {name: f"{name}=={VERSIONS[name]}" for name in names}
    if not ready.exists() or ready.read_text() != " ".join(wanted.values()):
        venv.create(folder, with_pip=True, clear=True)
        for name, package in wanted.items():  # one by one: the others do not need it
            if subprocess.run([python, "-m", "pip", "install", "--quiet", package]).returncode:
                if name in needed:
                    sys.exit(f"{package} could not be installed: without it there is nothing to compare with")
                print(f"{package} could not be installed", file=sys.stderr)
        ready.write_text(" ".join(wanted.values()))
    os.execve(python, [python, *sys.argv], {**os.environ, **ONE_THREAD, INSIDE: "1"})


def machine():
    def field(name, text, default=""):
        found = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(name)]
        return found[0] if found else default

    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    flags = set(field("flags", cpu).split())
    return {
        "cpu": field("model name", cpu, "unknown"),
        "cores": os.cpu_count(),
        "simd": [f for f in ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_vpopcntdq") if f in flags],
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
    }
