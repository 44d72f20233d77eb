#pragma once
// LoRA: frozen weights, and beside each chosen linear layer a trainable low-rank part (tensor/ops/linear.h).
// Source: Hu et al., arXiv 2106.09685; names and initial values are those of PEFT.
#include "core/config.h"
#include "model/causal_lm.h"

namespace agro {

/// [lora]
struct LoraConfig {
  int64_t rank = 0;
  double alpha = 16;
  std::vector<std::string> targets;
  void visit(ConfigVisitor& v);
};

/// Gives every linear layer of the blocks that `config.targets` names a fresh low-rank part that changes nothing yet: A
/// uniform in ±1/√in (PEFT's Kaiming initialisation), B zero; scale alpha / rank. Equal seeds give equal values.
/// Throws Error for a rank below 1 or a target that no layer has.
void add_lora(CausalLm& model, const LoraConfig& config, uint64_t seed);

/// Writes the low-rank parts of `model` as an adapter folder of PEFT: adapter_config.json and adapter_model.safetensors
/// (float32). `base_model` is noted in it. `folder` is replaced atomically. Throws Error where there are none.
void write_adapter(const Path& folder, const CausalLm& model, const std::string& base_model);

/// Gives `model` the low-rank parts of an adapter folder of PEFT. Throws Error for another kind of adapter, settings
/// that change what it computes and are not supported, layers the model does not have, and wrong shapes.
void read_adapter(const Path& folder, CausalLm& model);

/// Adds the low-rank parts into the weights and takes them off. A weight keeps its type: bfloat16 ones are rounded.
void merge_low_rank(CausalLm& model);

}  // namespace agro
