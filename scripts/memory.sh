#!/usr/bin/env bash
# Peak memory of training a model of SmolLM2-135M's shape (random weights): all weights, and adapters of rank 16. Three
# AGRO steps each, 1024 tokens in a pass, AdamW with float32 weights, a frozen bfloat16 reference, recomputation on.
#   scripts/memory.sh [TOKENIZER_FOLDER]     default: ../shared/tokenizers/gpt2
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
agro=build/release/bin/agro
work=runs/smollm2-135m-shape
tokenizer=${1:-../shared/tokenizers/gpt2}
rm -rf "$work"
mkdir -p "$work/model"
cp configs/smollm2-135m-shape/config.json "$tokenizer/tokenizer.json" "$work/model/"
[ ! -e "$tokenizer/tokenizer_config.json" ] || cp "$tokenizer/tokenizer_config.json" "$work/model/"
"$agro" init "$work/model"
for run in full lora; do
  "$agro" train "configs/smollm2-135m-shape/$run.toml" 2> "$work/$run.log"
  rm -rf "$work/$run/checkpoints" "$work/$run/final"  # gigabytes of random weights and moments
done
for run in full lora; do
  printf '%s: %s\n' "$run" "$(grep -o 'peak memory [0-9.]* GiB' "$work/$run.log" | tail -n 1)"
done
