# Read by the scripts that make base models: the folder a supervised training begins with, unless it is there already.

# random_start MODEL OUT VOCABULARY DEVIATION TEXT.jsonl…: configuration of MODEL, a tokenizer of TEXT, random weights.
random_start() {
  local model=$1 out=$2 vocabulary=$3 deviation=$4
  shift 4
  [ -f "$out/model.safetensors" ] && return
  mkdir -p "$out"
  cp "$model"/{config,tokenizer_config,generation_config}.json "$out/"
  tools/train_tokenizer.py --vocab "$vocabulary" "$out" "$@"
  "$agro" init "$out" --seed 1 --std "$deviation"
}
