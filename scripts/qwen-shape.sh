#!/usr/bin/env bash
# Three AGRO steps with a model of Qwen2.5-0.5B's shape (random weights, real tokenizer): memory and seconds.
#   scripts/qwen-shape.sh [TOKENIZER_FOLDER]     default: ../shared/tokenizers/qwen2.5
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
agro=build/release/bin/agro
work=runs/qwen2.5-0.5b-shape
tokenizer=${1:-../shared/tokenizers/qwen2.5}
rm -rf "$work"
mkdir -p "$work/model"
cp configs/qwen2.5-0.5b-shape/config.json "$tokenizer/tokenizer.json" "$tokenizer/tokenizer_config.json" "$work/model/"
"$agro" init "$work/model"
"$agro" train configs/qwen2.5-0.5b-shape/gsm8k.toml
cat "$work/run/timings.jsonl"
rm -rf "$work/run/checkpoints" "$work/run/final"  # 8 GB of random weights and moments
