#!/usr/bin/env bash
# Makes models/wordmath anew, in runs/wordmath/run/final: problems, tokenizer, random start, supervised training.
# About 11 minutes on 2 cores; resumable. models/wordmath/README.md says what came out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/random-start.sh
agro=${AGRO:-build/release/bin/agro}
out=runs/wordmath
mkdir -p "$out"

"$agro" problems --count 20000 --seed 1 --working terse steps sentences digits -o "$out/tokenizer-text.jsonl"
# Half of the worked examples write the whole calculation at once: the hastiest manner, and the one that goes wrong most.
"$agro" problems --count 200000 --seed 1 --working terse=5 steps=2 sentences=2 digits=1 -o "$out/train.jsonl"
"$agro" problems --split selection --count 500 --seed 2 -o "$out/selection.jsonl"

random_start models/wordmath "$out/init" 640 0.05 "$out/tokenizer-text.jsonl"
supervised configs/wordmath/base.toml "$out/run"
