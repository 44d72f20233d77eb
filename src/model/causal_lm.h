#pragma once
// A causal language model: token ids in, hidden states out, one code path for training and sampling.
// Families differ in how their tensors are named and which parts they have (families.cpp), not in this code.
#include <functional>
#include <string>
#include <vector>

#include "core/tokens.h"
#include "model/families.h"

namespace agro {

/// Packed token sequences, no padding: sequence s is ids[offsets[s]] … ids[offsets[s+1] − 1]. A sequence may continue
/// another, as each response of a group continues its prompt, whose rows then stand there once for all of them.
struct PackedBatch {
  Tensor ids;        // [N] int64
  Tensor positions;  // [N] int64, counted from 0 in each sequence, from the prefix's length in one that has a prefix
  Offsets offsets;
  Prefixes prefixes;

  int64_t tokens() const { return offsets.back(); }
};

/// Packs sequences in order. Sequence s starts at position first_position[s] (empty: at 0, or behind the prefix that
/// `prefixes` gives it). Throws Error for an empty sequence.
PackedBatch pack_sequences(const std::vector<TokenIds>& sequences, const std::vector<int64_t>& first_position = {},
                           const Prefixes& prefixes = {});

/// A tensor of the model under its HuggingFace name.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

class CausalLm {
 public:
  /// Builds the model from tensors looked up by HuggingFace name. Throws Error (through `tensor_of`) for a missing one.
  CausalLm(ModelConfig config, const std::function<Tensor(const std::string& name)>& tensor_of);

  const ModelConfig& config() const { return config_; }

  /// Hidden states [N, C] after the final norm; differentiable when the parameters require gradients.
  /// Throws Error for ids outside the vocabulary or positions beyond max_position_embeddings.
  Tensor hidden_states(const PackedBatch& batch) const;

  /// The same for sampling: sequence s continues at places[s] of the cache. Not differentiable. The batch has no
  /// prefixes: they are in the cache.
  Tensor hidden_states(const PackedBatch& batch, KvCache& cache, const std::vector<CachePlace>& places) const;

  /// Chooses what the products of all linear layers and the output projection are made of; float32 at first.
  void set_products(Products products);

  /// Whether a differentiable pass keeps only each layer's input and computes the layer again on the way back; the bits
  /// are the same. Off at first.
  void set_recompute(bool recompute) { recompute_ = recompute; }

  /// The linear layers of the blocks, in order; each has the name of its module. Pointers into this object.
  std::vector<const LinearWeight*> linears() const;

  /// Gives the linear layer `module` a low-rank part. Throws Error where there is none of that name, or the shapes do
  /// not fit.
  void set_low_rank(const std::string& module, LowRank low_rank);

  /// Takes the low-rank parts off. A copy of a model shares the tensors and packed weights: a copy without low-rank
  /// parts is the model they were added to, at no cost.
  void remove_low_rank();

  /// Replaces the low-rank parts by copies that later training of the originals does not change.
  void copy_low_rank();

  /// The low-rank parts under PEFT's names ("base_model.model.MODULE.lora_A.weight"), handles; empty where there are
  /// none.
  std::vector<NamedTensor> low_rank_parameters() const;

  /// What training changes: the low-rank parts where there are any, else every parameter.
  std::vector<NamedTensor> trainable_parameters() const;

  /// The tensor of parameters() with that name as a model without low-rank parts would have it: merged where the layer
  /// has one.
  Tensor merged_parameter(const NamedTensor& parameter) const;

  /// Packs all weights of the products now, also for the backward pass where those packs are kept, rather than on first
  /// use. The model's own tensors of matrices are hardly read any more after this.
  void pack_weights(bool for_gradient) const;

  /// Output projection [V, C]; its weight is the embedding's where they are tied.
  const LinearWeight& head() const { return parts_.head; }

  /// Embeddings, layers, final norm and head, for passes of other kinds than hidden_states().
  const FamilyParts& parts() const { return parts_; }

  /// Makes rope() long enough for sequences of `length` tokens. Throws Error beyond max_position_embeddings.
  void provide_positions(int64_t length) const;

  /// The table of rotary(), of as many positions as were asked for; undefined where positions are embedded.
  const Tensor& rope() const { return rope_; }

  /// log π(ids[t+1] | ids[≤ t]) for the rows listed in `rows` (indices into the packed batch), targets [rows].
  /// float32 (float64 for a float64 model), differentiable.
  Tensor logprobs(const PackedBatch& batch, const Tensor& rows, const Tensor& targets, double temperature = 1.0) const;

  /// Every distinct tensor, in the order of construction; handles, so assigning into them changes the model.
  const std::vector<NamedTensor>& parameters() const { return parameters_; }

  /// float32 on CPU for float32 and bfloat16 weights; what activations are.
  at::TensorOptions activation_options() const;

  /// Whether our kernels compute, not LibTorch's operators: activations are float32 on the CPU.
  bool runs_on_kernels() const;

 private:
  Tensor forward(const PackedBatch& batch, KvCache* cache, const std::vector<CachePlace>* places) const;

  ModelConfig config_;
  std::vector<NamedTensor> parameters_;
  FamilyParts parts_;
  bool recompute_ = false;
  mutable Tensor rope_;
};

}  // namespace agro
