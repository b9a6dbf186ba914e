#!/usr/bin/env bash
# Makes the demonstration model from nothing but osscl's own generator, and evaluates it on the gate set.
# The background that ships is made apart: demo_model/background.py says how.
# usage: demo_model/make.sh WORK_FOLDER
# needs: pip install ".[cpu,train,export]"; takes about three quarters of an hour on two cores
set -euo pipefail
work=${1:?usage: demo_model/make.sh WORK_FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
model=$here/../python/osscl/models/demo.onnx

osscl synth "$work/training" --machines 48 --train 2400 --seed 11
osscl train "$work/training" --output "$work/run" --config "$here/recipe.toml" --device cpu
osscl-export "$work/run/best.safetensors" --output "$model" --overwrite --licence Apache-2.0 --training-data \
    "demonstration only: 48 synthetic machines of osscl.synth/1 (osscl synth --machines 48 --train 2400 --seed 11)"

osscl synth "$work/gate" --machines 12 --normal 500 --anomalous 500 --seed 7
osscl evaluate "$model" "$work/gate"
