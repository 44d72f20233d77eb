#!/usr/bin/env bash
# `make study`: the AGRO paper's comparison at scales that a CPU can run. What it found: docs/results/study.md.
# Every pair of objective and data is tuned by the same protocol: all values of β at one learning rate (seed 0), then the
# other learning rates at the best β, measured on prompts kept aside; the best point is trained again with seeds 1 to 5,
# and each of those models reads the evaluation prompts once. One pair per core at a time. Resumable: a run that has its
# result.json is not computed again. Everything is under runs/study.
#     scripts/study.sh [SHARED_FOLDER]        both models; the adders need the shared folder
#     STAGES=adders OBJECTIVES="agro grpo" DATA="fresh stored-itself" scripts/study.sh      a part of it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib/study.sh
export AGRO=${AGRO:-build/release/bin/agro}
export SHARED=${1:-../shared}
export ADDERS=$SHARED/models/mathgpt-adders
export OUT=runs/study

# The protocol. β first, at the learning rate that stands first; then the others. A run on wordmath takes ten times as
# long as one on the adders: fewer candidates.
grid_of() {  # STAGE
  case $1 in
    adders) export BETAS="0.02 0.1 0.25 0.5 1 2" RATES="1e-4 2.5e-5 5e-5 2e-4" ;;
    wordmath) export BETAS="0.05 0.2 0.5" RATES="1e-4 5e-5 2e-4" ;;
  esac
}
export SEEDS="1 2 3 4 5"

prepare() {  # STAGE: the prompts and logged responses
  local data=$OUT/data/$1
  [ -f "$data/ready" ] && return
  mkdir -p "$data"
  case $1 in
    adders)
      head -n 3500 "$ADDERS/tasks/train_prompts.jsonl" >"$data/train.jsonl"
      tail -n 500 "$ADDERS/tasks/train_prompts.jsonl" >"$data/aside.jsonl"
      ;;
    wordmath)  # the problems of `make demo`, with more to choose settings on
      "$AGRO" problems --count 2000 --seed 11 --working terse=5 steps=2 sentences=2 digits=1 -o "$data/train.jsonl"
      "$AGRO" problems --split selection --count 300 --seed 12 -o "$data/selection.jsonl"
      "$AGRO" problems --split test --count 1000 --seed 13 -o "$data/test.jsonl"
      "$AGRO" generate models/wordmath "$data/train.jsonl" --n 8 --max-new-tokens 96 --seed 0 --output "$data/responses.jsonl"
      "$AGRO" score "$data/responses.jsonl" --reward gsm8k --output "$data/logged.jsonl"
      # Another, larger model, with another tokenizer: texts alone.
      if [ ! -f runs/wordmath-2/run/final/model.safetensors ]; then
        scripts/strong-base.sh $([ -f "$SHARED/data/gsm8k/train.jsonl" ] && echo "$SHARED/data/gsm8k/train.jsonl")
      fi
      "$AGRO" generate runs/wordmath-2/run/final "$data/train.jsonl" --n 8 --max-new-tokens 96 --seed 0 --text-only \
        --source wordmath-2 --output "$data/responses-2.jsonl"
      "$AGRO" score "$data/responses-2.jsonl" --reward gsm8k --output "$data/logged-2.jsonl"
      ;;
  esac
  touch "$data/ready"
}

settings_of() {  # STAGE OBJECTIVE DATA
  case $1 in
    adders)
      data_settings "$3" "$ADDERS/tasks/completions_1_2.jsonl" "$ADDERS/tasks/completions_1_1.jsonl"
      echo model.path="$ADDERS/2l-1h-128d"
      ;;
    wordmath) data_settings "$3" "$OUT/data/wordmath/logged.jsonl" "$OUT/data/wordmath/logged-2.jsonl" ;;
  esac
  objective_settings "$2" "$3"
}

# Figures on the evaluation prompts, with the KL to the starting model.
measure() {  # STAGE MODEL RESULT
  case $1 in
    adders) "$AGRO" eval "$2" "$ADDERS/tasks/eval_prompts.jsonl" --answer-probability --samples 4 --threads 1 \
      --reference "$ADDERS/2l-1h-128d" --reference-samples 0 --json "$3" ;;
    wordmath) "$AGRO" eval "$2" "$OUT/data/wordmath/test.jsonl" --reward gsm8k --max-new-tokens 96 --samples 4 --threads 1 \
      --reference models/wordmath --reference-samples 0 --json "$3" ;;
  esac
}

# One run; leaves FOLDER/result.json: the last evaluation aside for seed 0, else that of the evaluation prompts.
run() {  # STAGE OBJECTIVE DATA BETA RATE SEED FOLDER
  local folder=$7 set=()
  [ -f "$folder/result.json" ] && return
  set=(objective.name="$2" objective.beta="$4" optimizer.learning_rate="$5" run.seed="$6" $(settings_of "$1" "$2" "$3"))
  [ "$6" = 0 ] || set+=(evaluate.prompts=)
  train_run "configs/paper/$1.toml" "$folder" "${set[@]}"
  if [ -d "$folder/final" ]; then
    if [ "$6" = 0 ]; then
      grep '"evaluation"' "$folder/metrics.jsonl" | tail -n 1 >"$folder/result.json.part"
    else
      measure "$1" "$folder/final" "$folder/result.json.part" >/dev/null
    fi
    mv "$folder/result.json.part" "$folder/result.json"
  fi
  rm -rf "$folder/best" "$folder/checkpoints" "$folder/final"
  echo "$folder: greedy $(figure greedy_accuracy "$folder/result.json"), sampled $(sampled "$folder/result.json")"
}

# All runs of one pair of objective and data.
cell() {  # STAGE OBJECTIVE DATA
  local at=$OUT/$1/$2/$3 betas=$BETAS rates beta rate seed
  # PPO's KL is that of who wrote the responses, the reference: whatever β is, it subtracts nothing.
  [ "$2-$3" = ppo-stored-itself ] && betas=0.1
  read -ra rates <<<"$RATES"
  for beta in $betas; do run "$1" "$2" "$3" "$beta" "${rates[0]}" 0 "$at/grid/$beta,${rates[0]}"; done
  IFS=, read -r beta rate <<<"$(best "$at"/grid/*,"${rates[0]}")"
  for rate in "${rates[@]:1}"; do run "$1" "$2" "$3" "$beta" "$rate" 0 "$at/grid/$beta,$rate"; done
  best "$at"/grid/* >"$at/chosen"
  IFS=, read -r beta rate <"$at/chosen"
  for seed in $SEEDS; do run "$1" "$2" "$3" "$beta" "$rate" "$seed" "$at/seed-$seed"; done
}
export -f cell run measure settings_of

for stage in ${STAGES:-adders wordmath}; do
  if [ "$stage" = adders ] && [ ! -d "$ADDERS" ]; then
    echo "study: SKIPPED: the stage of addition, whose models and responses are expected in $ADDERS" >&2
    continue
  fi
  prepare "$stage"
  grid_of "$stage"
  start=models/wordmath
  [ "$stage" = adders ] && start=$ADDERS/2l-1h-128d
  mkdir -p "$OUT/$stage"
  [ -f "$OUT/$stage/before.json" ] || measure "$stage" "$start" "$OUT/$stage/before.json" >/dev/null
  for objective in ${OBJECTIVES:-agro kl_policy_gradient ppo grpo rloo dpo ipo}; do
    for kind in ${DATA:-fresh stored-itself stored-other mixed}; do echo "$stage $objective $kind"; done
  done | in_parallel cell
  tools/study_figures.py "$OUT" "$stage" docs/images
done
