"""pagevec: HNSW over bytes or bits in one file, read into memory as the others are, through its command line. `eval` does what worker.py does to the
others: it warms up with all queries, then searches for each with one thread."""
import json
import subprocess
import time


class Engine:
    def __init__(self, codec, tool, files, clusters=False, refine=None):
        self.codec, self.clusters, self.refine, self.tool, self.files = codec, clusters, refine, tool, files

    def over(self, files):
        """The same over other files."""
        return Engine(self.codec, self.tool, files, self.clusters, self.refine)

    def command(self, *arguments):
        return [str(a) for a in (self.tool, *arguments)]

    def build(self, base, path):
        from native import EF_CONSTRUCTION, M
        more = [*([] if self.clusters else ["--no-clusters"]), *(["--refine", self.refine] if self.refine else [])]
        out = subprocess.run(self.command("build", self.files["base"], "--codec", self.codec, "-M", M, "--ef-construction",
                                          EF_CONSTRUCTION, "--threads", 1, "-o", path, "--json", *more),
                             check=True, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(out)

    def load(self, path, dim):
        self.path = path

    def evaluate(self, param, limit, passes=1, watch=None):
        """One line of `eval` after so many timed passes; `watch` is called with the process id while it runs."""
        command = self.command("eval", self.path, "--queries", self.files["queries"], "--truth", self.files["truth"], "-k", 10,
                               "--ef", param, "--index", "hnsw", "--io", "memory", "--threads", 1, "--limit", limit,
                               "--repeat", passes, "--json")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while watch and process.poll() is None:
            watch(process.pid)
            time.sleep(0.005)
        out, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"pagevec eval ended with {process.returncode}")
        return json.loads(out)
