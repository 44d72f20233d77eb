#!/usr/bin/env bash
# `make demo`: AGRO on a small model that lies in the repository, from start to finish.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
agro=build/release/bin/agro
model=tests/golden/e2e_qwen2_addition
run=runs/demo
rm -rf "$run"

echo "The model, before: one-digit sums, half-learned."
"$agro" eval "$model" configs/demo/sums.jsonl --samples 64 --max-new-tokens 4
echo
echo "AGRO, 200 steps of 32 prompts x 8 fresh responses ($run):"
"$agro" train configs/demo/addition.toml --set run.output="$run"
echo
echo "After:"
"$agro" eval "$run/final" configs/demo/sums.jsonl --samples 64 --max-new-tokens 4 --reference "$model" --beta 0.01
echo
echo "The trained model is the HuggingFace folder $run/final; every figure of the run is in $run/metrics.jsonl."
echo "Next, your own: copy configs/demo/addition.toml, set model.path and data.prompts, and run  $agro train FILE.toml"
