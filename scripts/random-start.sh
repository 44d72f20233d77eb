# Read by the scripts that make base models.

# random_start MODEL OUT VOCABULARY DEVIATION TEXT.jsonl…: the folder a supervised training begins with, unless it is
# there already: configuration of MODEL, a tokenizer of TEXT, random weights.
random_start() {
  local model=$1 out=$2 vocabulary=$3 deviation=$4
  shift 4
  [ -f "$out/model.safetensors" ] && return
  mkdir -p "$out"
  cp "$model"/{config,tokenizer_config,generation_config}.json "$out/"
  tools/train_tokenizer.py --vocab "$vocabulary" "$out" "$@"
  "$agro" init "$out" --seed 1 --std "$deviation"
}

# supervised CONFIG RUN [OPTION…]: trains, or goes on where it was stopped.
supervised() {
  "$agro" sft "$1" --resume "${@:3}"
  [ -d "$2/final" ] || { echo "Stopped. The same command goes on." >&2; exit 1; }
  echo "The model is $2/final."
}
