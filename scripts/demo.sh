#!/usr/bin/env bash
# `make demo`: a half-trained model of our own, improved three ways by AGRO, and a supervised control beside it.
# About three minutes on 2 cores. Everything it makes is under runs/demo, or runs/demo-seed-N for another seed.
#   scripts/demo.sh [SEED]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
agro=${AGRO:-build/release/bin/agro}
seed=${1:-0}
base=models/wordmath
out=runs/demo${1:+-seed-$1}
test=$out/data/test.jsonl
started=$SECONDS
[[ $seed =~ ^[0-9]+$ ]] || { echo "demo: the seed is '$seed', expected a whole number" >&2; exit 2; }

say() { printf '\n── %d:%02d  %s\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)) "$*"; }

measure() {  # MODEL RUN: on the test problems, always the same draws
  "$agro" eval "$1" "$test" --reward gsm8k --max-new-tokens 96 --samples 4 \
    --reference "$base" --beta 0.1 --reference-samples 4 -o "$2/evaluations/test.json"
}

train() {  # COMMAND NAME
  local logged=()
  case $2 in stored | mixed) logged=(--set data.completions="['$out/data/logged.jsonl']") ;; esac
  "$agro" "$1" "configs/demo/$2.toml" --set run.output="$out/$2" --set run.seed="$seed" \
    --set data.prompts="$out/data/train.jsonl" --set evaluate.prompts="$out/data/selection.jsonl" "${logged[@]}"
  measure "$out/$2/final" "$out/$2"
}

rm -rf -- "$out"
mkdir -p "$out/data"

say "Problems: 2000 to train on, 200 to watch, 1000 to test with; no calculation is in two of them"
"$agro" problems --count 2000 --seed 11 --working terse=5 steps=2 sentences=2 digits=1 -o "$out/data/train.jsonl"
"$agro" problems --split selection --count 200 --seed 12 -o "$out/data/selection.jsonl"
"$agro" problems --split test --count 1000 --seed 13 -o "$test"
head -n 1 "$test"

say "Before: the base model ($base) on the test problems"
measure "$base" "$out/before"

say "Logged responses: 8 of the base model to each training problem, scored by the verifier"
"$agro" generate "$base" "$out/data/train.jsonl" --n 8 --max-new-tokens 96 --seed "$seed" --output "$out/data/responses.jsonl"
"$agro" score "$out/data/responses.jsonl" --reward gsm8k --output "$out/data/logged.jsonl"

say "AGRO on fresh responses: 80 steps of 16 problems x 8 responses"
train train fresh
say "AGRO on the logged responses alone: the same steps, nothing is sampled"
train train stored
say "AGRO on both: 4 fresh and 4 logged responses in each group"
train train mixed
say "Control: supervised training on reference solutions of the same problems, for the same time"
train sft supervised

say "Done"
echo
"$agro" report "$out"/{before,fresh,stored,mixed,supervised} --examples 3
cat <<END

'before' is the base model; ± are standard errors over the test problems.
The trained models are the HuggingFace folders $out/*/final.

Next, your own model and data (docs/getting-started.md):
  $agro train configs/demo/mixed.toml --set model.path=MODEL --set data.prompts=PROMPTS.jsonl --set data.completions="['LOGGED.jsonl']" --set evaluate.prompts=HELD-OUT.jsonl --set run.output=runs/mine
END
