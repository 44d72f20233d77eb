#!/usr/bin/env bash
# Makes wordmath-2, the larger of the two models for word problems, in runs/wordmath-2/run/final: problems, tokenizer,
# random start, supervised training. The same command goes on after a stop; to begin anew, remove runs/wordmath-2.
# models/wordmath-2/README.md says what came out and how long it took.
#   scripts/strong-base.sh [train.jsonl [OPTION…]]
# train.jsonl is the training file of GSM8K (https://github.com/openai/grade-school-math). Its first 7000 problems are in
# the text three times; the others are kept for measuring. Without it the text is generated problems alone. Options are
# those of agro sft, such as --set run.threads=1.
set -euo pipefail
gsm8k=${1:+$(realpath "$1")}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/random-start.sh
agro=${AGRO:-build/release/bin/agro}
out=runs/wordmath-2
mkdir -p "$out/text"

if [ ! -f "$out/train.jsonl" ]; then
  # Problems of up to three steps and longer ones, worked in four manners; equations and fractions, which have one.
  "$agro" problems --kind word arithmetic --count 60000 --seed 1 \
    --working terse=2 steps=4 sentences=3 digits=1 -o "$out/text/short.jsonl"
  "$agro" problems --kind word arithmetic --count 22000 --seed 2 --min-level 4 --max-level 6 \
    --working terse=1 steps=5 sentences=3 digits=1 -o "$out/text/long.jsonl"
  "$agro" problems --kind equation fraction --count 10000 --seed 3 --max-level 5 -o "$out/text/algebra.jsonl"
  if [ -n "$gsm8k" ]; then
    tools/gsm8k_text.py "$gsm8k" --limit 7000 --copies 3 > "$out/text/gsm8k.jsonl"
  else
    rm -f "$out/text/gsm8k.jsonl"
    echo "No training file of GSM8K was given (scripts/strong-base.sh train.jsonl): generated problems alone."
  fi
  "$agro" problems --split selection --kind word arithmetic equation fraction --max-level 6 --count 500 --seed 2 \
    -o "$out/selection.jsonl"
  cat "$out"/text/*.jsonl | sed 's/"id":"[^"]*",//' > "$out/train.jsonl.tmp"  # ids of several files would collide
  mv "$out/train.jsonl.tmp" "$out/train.jsonl"
fi
# Then a second text: mostly short stories told in more ways, and some of each of the others, with other seeds.
if [ ! -f "$out/train-2.jsonl" ]; then
  mkdir -p "$out/text-2"
  tools/story_text.py --count 72000 --seed 4 > "$out/text-2/stories.jsonl"
  "$agro" problems --kind word arithmetic --count 40000 --seed 5 \
    --working terse=2 steps=4 sentences=3 digits=1 -o "$out/text-2/short.jsonl"
  "$agro" problems --kind word arithmetic --count 18000 --seed 6 --min-level 4 --max-level 6 \
    --working terse=1 steps=5 sentences=3 digits=1 -o "$out/text-2/long.jsonl"
  "$agro" problems --kind equation fraction --count 6000 --seed 7 --max-level 5 -o "$out/text-2/algebra.jsonl"
  if [ -f "$out/text/gsm8k.jsonl" ]; then head -n 7000 "$out/text/gsm8k.jsonl" > "$out/text-2/gsm8k.jsonl"; fi
  cat "$out"/text-2/*.jsonl | sed 's/"id":"[^"]*",//' > "$out/train-2.jsonl.tmp"
  mv "$out/train-2.jsonl.tmp" "$out/train-2.jsonl"
fi

random_start models/wordmath-2 "$out/init" 2048 0.04 "$out"/text/*.jsonl
supervised configs/wordmath/strong-1.toml "$out/first" "${@:2}"
supervised configs/wordmath/strong-2.toml "$out/run" "${@:2}"
