# Shared by scripts/study.sh and scripts/adders-objectives.sh: objectives, kinds of data, one run, its figures.
# Sourced, with AGRO set. All functions are exported for in_parallel.

data_settings() {  # DATA ITSELF OTHER: logged responses of the starting model, and of another network
  case $1 in
    stored-itself) echo "data.prompts= data.completions=['$2'] group.fresh_per_group=0 group.stored_per_group=8" ;;
    stored-other) echo "data.prompts= data.completions=['$3'] group.fresh_per_group=0 group.stored_per_group=8" ;;
    mixed) echo "data.prompts= data.completions=['$2','$3'] group.fresh_per_group=4 group.stored_per_group=4" ;;
  esac
}

objective_settings() {  # OBJECTIVE DATA
  case $1 in
    dpo | ipo) echo objective.pairing=best_worst ;;
    kl_policy_gradient) echo objective.kl_estimator=full_vocabulary ;;
  esac
  # PPO and GRPO want ratios to whoever wrote a response, token by token. The model's own were drawn from what is now
  # the reference; the other network's are unknown, and taken for the policy's own.
  case $1-$2 in
    ppo-stored-itself | grpo-stored-itself) echo data.stored_behavior=reference ;;
    ppo-stored-other | grpo-stored-other | ppo-mixed | grpo-mixed) echo data.stored_behavior=policy ;;
  esac
}

# A number of a JSON file; evaluations have some names twice, once with an object.
figure() { sed -n "s/.*\"$1\": *\([0-9.e-][0-9.e-]*\).*/\1/p" "$2" | tail -n 1; }  # NAME FILE

# Sampled accuracy: the probability of the answer where it was measured, which is exact, else that of the samples.
sampled() {  # FILE
  local exact
  exact=$(figure answer_probability "$1")
  echo "${exact:-$(figure sampled_accuracy "$1")}"
}

# The name of the candidate with the largest sum of greedy and sampled accuracy.
best() {  # FOLDERS…
  local folder
  for folder in "$@"; do
    echo "$(figure greedy_accuracy "$folder/result.json") $(sampled "$folder/result.json") $(basename "$folder")"
  done | awk 'NR == 1 || $1 + $2 > most {most = $1 + $2; name = $3} END {print name}'
}

# Trains into FOLDER. A run that ends in numbers that are not finite counts as one that answers nothing.
train_run() {  # CONFIG FOLDER SETTINGS…
  local config=$1 folder=$2 set=() pair
  shift 2
  for pair in run.output="$folder" "$@"; do set+=(--set "$pair"); done
  mkdir -p "$folder"
  if ! "$AGRO" train "$config" --resume "${set[@]}" >"$folder/log" 2>&1; then
    grep -q 'steps in a row had a non-finite loss' "$folder/log" || { cat "$folder/log" >&2; return 255; }
    echo '{"diverged": true, "greedy_accuracy": 0, "answer_probability": 0}' >"$folder/result.json"
  fi
}
export -f data_settings objective_settings figure sampled best train_run

# Calls FUNCTION, which is exported, with the words of each line of standard input, one call per core at a time.
in_parallel() {  # FUNCTION
  xargs -r -P "${JOBS:-$(nproc)}" -L 1 bash -c 'set -euo pipefail; "$@"' call "$1"
}
