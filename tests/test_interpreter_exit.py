"""Threads that are in native code when the interpreter ends: nothing aborts, nothing waits for them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

CALLS = {
    "log_mel": "osscl.log_mel(clips, threads=1)",
    "log_mel on the pool": "osscl.log_mel(clips, threads=2)",
    "read_audio": "osscl.read_audio(path)",
    "read_audio_batch": "osscl.read_audio_batch([path] * 4, threads=1)",
    "read_audio_batch on the pool": "osscl.read_audio_batch([path] * 4, threads=2)",
    "tfgram": "tfgram(clips, 1)",
    "ONNX Runtime": "onnxruntime.embed(clips)",
    "OpenVINO": "openvino.embed(clips)",
}

# The main thread computes once more when the interpreter has begun to end, for longer than the others' calls.
PROGRAM = """
import sys, threading, types
import numpy as np
import osscl
from osscl.backends import native_tfgram
from osscl.config import FRONTEND
from osscl.frontend import _plan
from osscl.model_file.bundle import read_bundle

path, call = sys.argv[1:]
clips = np.zeros((2, 160_000), np.int16)
tfgram = native_tfgram.cut_out(read_bundle("demo").model).tfgram
if call.startswith(("onnxruntime", "openvino")):
    backend = call.partition(".")[0]
    globals()[backend] = osscl.load("demo", "cpu", backend, threads=1)
called = threading.Semaphore(0)

class Last:
    def __init__(self):
        self.samples = np.zeros((300, 160_000), np.int16)
        self.log_mel = np.empty((300, 128, 313), np.float32)
        self.transform = _plan(FRONTEND, "").transform

    def __del__(self):
        self.transform(self.samples, self.log_mel, 1)
        assert self.log_mel[-1, -1, -1] == -100.0
        print("ended", flush=True)

def work():
    while True:
        exec(call)
        called.release()

sys.modules["last"] = types.ModuleType("last")
sys.modules["last"].last = Last()  # of no module that a thread holds
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
for _ in range(8):
    called.acquire()
"""


@pytest.mark.parametrize("call", CALLS)
def test_a_thread_in_native_code_does_not_abort_the_process_that_ends(call: str, tmp_path: Path) -> None:
    path = tmp_path / "recording.wav"
    soundfile.write(path, np.zeros(160_000, np.int16), 16_000)
    command = [sys.executable, "-c", PROGRAM, str(path), CALLS[call]]
    for _ in range(2):
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (result.returncode, result.stdout, result.stderr) == (0, "ended\n", "")
