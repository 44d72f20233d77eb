#!/usr/bin/env bash
# The three-digit adders: AGRO on fresh, stored and mixed responses, three seeds each, from a plain checkout with the
# shared models beside it. Settings were chosen on the 500 training prompts kept aside here; the evaluation prompts are
# read once for each reported run.      scripts/adders.sh [SHARED_FOLDER]      about 12 minutes on 2 cores; resumable
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
agro=${AGRO:-build/release/bin/agro}
adders=${1:-../shared}/models/mathgpt-adders
tasks=$adders/tasks
out=runs/adders
[ -d "$tasks" ] || { echo "adders: $tasks is not there" >&2; exit 1; }
mkdir -p "$out/data"
head -n 3500 "$tasks/train_prompts.jsonl" >"$out/data/train.jsonl"
tail -n 500 "$tasks/train_prompts.jsonl" >"$out/data/aside.jsonl"

run() {  # NAME CONFIG [overrides…]
  local name=$1 config=$2 seed
  shift 2
  local set=()
  for pair in "$@"; do set+=(--set "$pair"); done
  for seed in 0 1 2; do
    local folder=$out/$name-$seed
    [ -f "$folder/eval.json" ] && continue
    "$agro" train "configs/adders/$config.toml" --resume --set run.output="$folder" --set run.seed=$seed --set model.path="$adders/2l-1h-128d" "${set[@]}"
    "$agro" eval "$folder/final" "$tasks/eval_prompts.jsonl" --answer-probability --json "$folder/eval.json" >/dev/null
  done
}

run fresh fresh
run stored-itself stored
run stored-other stored "data.completions=['$tasks/completions_1_1.jsonl']"
run mixed-itself mixed
run mixed-other mixed "data.completions=['$tasks/completions_1_1.jsonl']"

echo
echo "Accuracy on $tasks/eval_prompts.jsonl, mean of three seeds (range), percent; sampled is the exact expectation at temperature 1"
printf '%-16s %22s %22s\n' run greedy sampled
for name in fresh stored-itself stored-other mixed-itself mixed-other; do
  for figure in greedy_accuracy answer_probability; do
    sed -n "s/.*\"$figure\": *\([0-9.e-]*\).*/\1/p" "$out/$name"-[012]/eval.json |
      awk '{x=100*$1; s+=x; if(NR==1||x<a)a=x; if(NR==1||x>b)b=x} END {printf "%.1f (%.1f-%.1f)\n", s/NR, a, b}'
  done | paste -sd' ' | awk -v n="$name" '{printf "%-16s %10s %11s %10s %11s\n", n, $1, $2, $3, $4}'
done
