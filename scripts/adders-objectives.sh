#!/usr/bin/env bash
# Objectives against data on the three-digit adders, from a plain checkout with the shared models beside it. Every pair
# of objective and data gets the same grid (four values of β, two learning rates; seed 0, 250 steps), measured on the 500
# training prompts kept aside; the best point is trained again with seeds 1, 2, 3, and each of those models reads the
# evaluation prompts once. One run per core at a time. Resumable: what is there is not computed again.
#     scripts/adders-objectives.sh [SHARED_FOLDER]      about 90 minutes on 2 cores beside other work
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib/study.sh
export AGRO=${AGRO:-build/release/bin/agro}
export ADDERS=${1:-../shared}/models/mathgpt-adders
export OUT=runs/adders/objectives
[ -d "$ADDERS" ] || { echo "adders: $ADDERS is not there" >&2; exit 1; }
mkdir -p "$OUT" runs/adders/data
head -n 3500 "$ADDERS/tasks/train_prompts.jsonl" >runs/adders/data/train.jsonl
tail -n 500 "$ADDERS/tasks/train_prompts.jsonl" >runs/adders/data/aside.jsonl

objectives=${OBJECTIVES:-agro kl_policy_gradient rloo grpo ppo dpo topr asymmetric_reinforce trajectory_balance astar_po}
data=${DATA:-fresh stored-itself stored-other mixed}
rates=(5e-5 2e-4)

# The candidates of what shapes an objective beside the learning rate: β, or where it has none its baseline.
shapes_of() {  # OBJECTIVE
  case $1 in
    topr) echo baseline=0.1 baseline=0.25 baseline=0.5 baseline=0.75 ;;
    asymmetric_reinforce) echo baseline_shift=-0.5 baseline_shift=-0.2 baseline_shift=-0.1 baseline_shift=-0.02 ;;
    *) echo beta=0.02 beta=0.1 beta=0.5 beta=2 ;;
  esac
}

settings_of() {  # OBJECTIVE DATA
  data_settings "$2" "$ADDERS/tasks/completions_1_2.jsonl" "$ADDERS/tasks/completions_1_1.jsonl"
  objective_settings "$1" "$2"
}

# One run; leaves FOLDER/result.json: the evaluation aside, or that of the evaluation prompts for a reported run.
run() {  # OBJECTIVE DATA SHAPE RATE SEED FOLDER
  local folder=$6
  [ -f "$folder/result.json" ] && return
  train_run configs/adders/objectives.toml "$folder" objective.name="$1" $(settings_of "$1" "$2") objective."$3" \
    optimizer.learning_rate="$4" run.seed="$5" model.path="$ADDERS/2l-1h-128d"
  if [ "$5" = 0 ] && [ -d "$folder/final" ]; then
    grep '"evaluation"' "$folder/metrics.jsonl" | tail -n 1 >"$folder/result.json.part"
    mv "$folder/result.json.part" "$folder/result.json"
  elif [ -d "$folder/final" ]; then
    "$AGRO" eval "$folder/final" "$ADDERS/tasks/eval_prompts.jsonl" --answer-probability --samples 0 --threads 1 \
      --json "$folder/result.json" >/dev/null
  fi
  rm -rf "$folder/best" "$folder/checkpoints" "$folder/final"
  echo "$folder: greedy $(figure greedy_accuracy "$folder/result.json"), sampled $(sampled "$folder/result.json")"
}
export -f run settings_of

for objective in $objectives; do
  for kind in $data; do
    for shape in $(shapes_of "$objective"); do
      for rate in "${rates[@]}"; do
        echo "$objective $kind $shape $rate 0 $OUT/grid/$objective/$kind/$shape,$rate"
      done
    done
  done
done | in_parallel run

# The chosen point has the largest sum of greedy and sampled accuracy aside.
for objective in $objectives; do
  for kind in $data; do
    best "$OUT/grid/$objective/$kind"/*/ >"$OUT/grid/$objective/$kind/chosen"
    IFS=, read -r shape rate <"$OUT/grid/$objective/$kind/chosen"
    for seed in 1 2 3; do echo "$objective $kind $shape $rate $seed $OUT/chosen/$objective/$kind/$seed"; done
  done
done | in_parallel run

# Mean ± half the 95 % t-interval over three seeds (t = 4.303), percent.
interval() {  # NAME FILES…
  local name=$1 file
  shift
  for file in "$@"; do figure "$name" "$file"; done |
    awk '{x = 100 * $1; n++; s += x; q += x * x} END {m = s / n; v = (q - n * m * m) / (n - 1)
          printf "%.1f ± %.1f", m, 4.303 * sqrt((v > 0 ? v : 0) / n)}'
}

row() {  # FUNCTION: one row for each objective, one column for each kind of data
  local objective kind
  printf '| objective |' && printf ' %s |' $data && echo
  printf '%s' '|---|' && for kind in $data; do printf '%s' '---|'; done && echo
  for objective in $objectives; do
    printf '| `%s` |' "$objective"
    for kind in $data; do printf ' %s |' "$("$1" "$objective" "$kind")"; done
    echo
  done
}
accuracies() {
  local results=("$OUT/chosen/$1/$2"/*/result.json)
  echo "$(interval greedy_accuracy "${results[@]}") / $(interval answer_probability "${results[@]}")"
}
chosen() { sed 's/.*=//; s/,/, /' "$OUT/grid/$1/$2/chosen"; }
candidates() {
  local shape rate file
  for shape in $(shapes_of "$1"); do
    for rate in "${rates[@]}"; do
      file=$OUT/grid/$1/$2/$shape,$rate/result.json
      echo "$(figure greedy_accuracy "$file") $(figure answer_probability "$file")" |
        awk -v at="${shape#*=}, $rate" '{printf "%s: %.1f / %.1f<br>", at, 100 * $1, 100 * $2}'
    done
  done
}

{
  echo 'Greedy / sampled accuracy on the evaluation prompts, percent: mean of three seeds ± half a 95 % interval.' && echo
  row accuracies
  echo && echo 'The chosen point: β (for `topr` and `asymmetric_reinforce` the baseline and its shift), learning rate.' && echo
  row chosen
  echo && echo 'Every candidate on the prompts kept aside: greedy / sampled.' && echo
  row candidates
} | tee "$OUT/tables.md"
