#!/usr/bin/env bash
# Makes wordmath-2, the larger of the two models for word problems, in runs/wordmath-2/run/final: problems, tokenizer,
# random start, supervised training. Resumable. models/wordmath-2/README.md says what came out and how long it took.
#   scripts/strong-base.sh [train.jsonl]
# train.jsonl is the training file of GSM8K (https://github.com/openai/grade-school-math). Its first 7000 problems are
# learned three times over; the others are kept for measuring. Without it the text is generated problems alone.
set -euo pipefail
gsm8k=${1:+$(realpath "$1")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/random-start.sh
agro=${AGRO:-build/release/bin/agro}
out=runs/wordmath-2
mkdir -p "$out/text"

# Problems of up to three steps and longer ones, worked in four manners; equations and fractions, which have one.
"$agro" problems --kind word arithmetic --count 60000 --seed 1 --working terse=2 steps=4 sentences=3 digits=1 -o "$out/text/short.jsonl"
"$agro" problems --kind word arithmetic --count 22000 --seed 2 --min-level 4 --max-level 6 \
  --working terse=1 steps=5 sentences=3 digits=1 -o "$out/text/long.jsonl"
"$agro" problems --kind equation fraction --count 10000 --seed 3 --max-level 5 -o "$out/text/algebra.jsonl"
if [ -n "$gsm8k" ]; then
  tools/gsm8k_text.py "$gsm8k" --limit 7000 --copies 3 > "$out/text/gsm8k.jsonl"
else
  rm -f "$out/text/gsm8k.jsonl"
  echo "No training file of GSM8K was given (scripts/strong-base.sh train.jsonl): generated problems alone."
fi
cat "$out"/text/*.jsonl | sed 's/"id":"[^"]*",//' > "$out/train.jsonl"
"$agro" problems --split selection --kind word arithmetic equation fraction --max-level 6 --count 500 --seed 2 -o "$out/selection.jsonl"

random_start models/wordmath-2 "$out/init" 2048 0.04 "$out"/text/*.jsonl
"$agro" sft configs/wordmath/strong.toml --resume "${@:2}"
echo "The model is $out/run/final."
