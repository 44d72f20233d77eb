#include "model/causal_lm.h"

#include <algorithm>

#include "model/adapter_names.h"
#include "model/kernel_pass.h"
#include "model/layer_function.h"
#include "model/recompute.h"
#include "model/rope.h"
#include "tensor/ops/embedding.h"
#include "tensor/ops/token_logprob.h"

namespace agro {
namespace {

/// Positions that the longest sequence needs.
int64_t longest(const PackedBatch& batch) {
  return batch.tokens() == 0 ? 0 : batch.positions.max().item<int64_t>() + 1;
}

}  // namespace

PackedBatch pack_sequences(const std::vector<TokenIds>& sequences, const std::vector<int64_t>& first_position,
                           const Prefixes& prefixes) {
  PackedBatch batch{Tensor(), Tensor(), {0}, prefixes};
  std::vector<int64_t> ids, positions;
  for (size_t s = 0; s < sequences.size(); ++s) {
    if (sequences[s].empty()) throw fail("sequence {} of the batch is empty", s);
    int64_t first = 0;
    if (!first_position.empty())
      first = first_position[s];
    else if (!prefixes.empty() && prefixes[s] >= 0)
      first = static_cast<int64_t>(sequences[static_cast<size_t>(prefixes[s])].size());
    for (size_t i = 0; i < sequences[s].size(); ++i) positions.push_back(first + static_cast<int64_t>(i));
    ids.insert(ids.end(), sequences[s].begin(), sequences[s].end());
    batch.offsets.push_back(static_cast<int64_t>(ids.size()));
  }
  batch.ids = int64_tensor(ids);
  batch.positions = int64_tensor(positions);
  return batch;
}

CausalLm::CausalLm(ModelConfig config, const std::function<Tensor(const std::string& name)>& tensor_of)
    : config_(std::move(config)) {
  const auto parameter = [&](const std::string& name) {
    parameters_.push_back({name, tensor_of(name)});
    return parameters_.back().tensor;
  };
  parts_ = build_family(config_, parameter);
}

void CausalLm::set_products(Products products) {
  for (DecoderLayer& layer : parts_.layers) layer.set_products(products);
  parts_.head.products = products;
}

std::vector<const LinearWeight*> CausalLm::linears() const {
  std::vector<const LinearWeight*> all;
  for (const DecoderLayer& layer : parts_.layers)
    for (const LinearWeight* w : layer.linears()) all.push_back(w);
  return all;
}

void CausalLm::set_low_rank(const std::string& module, LowRank low_rank) {
  for (DecoderLayer& layer : parts_.layers) {
    for (LinearWeight* w : layer.linears()) {
      if (w->name != module) continue;
      LinearWeight with = *w;
      with.low_rank = std::move(low_rank);
      try {
        check_low_rank(with);
      } catch (Error& error) {
        throw std::move(error).at(module);
      }
      w->low_rank = std::move(with.low_rank);
      return;
    }
  }
  throw fail("the model has no linear layer '{}'", module);
}

void CausalLm::remove_low_rank() {
  for (DecoderLayer& layer : parts_.layers)
    for (LinearWeight* w : layer.linears()) w->low_rank.reset();
}

void CausalLm::copy_low_rank() {
  for (DecoderLayer& layer : parts_.layers)
    for (LinearWeight* w : layer.linears())
      if (w->low_rank) {
        LowRank copy;
        copy.a = w->low_rank->a.detach().clone(), copy.b = w->low_rank->b.detach().clone();
        copy.scale = w->low_rank->scale;
        w->low_rank = std::move(copy);
      }
}

std::vector<NamedTensor> CausalLm::low_rank_parameters() const {
  std::vector<NamedTensor> tensors;
  for (const LinearWeight* w : linears()) {
    if (!w->low_rank) continue;
    tensors.push_back({fmt::format("{}{}{}", kAdapterPrefix, w->name, kASuffix), w->low_rank->a});
    tensors.push_back({fmt::format("{}{}{}", kAdapterPrefix, w->name, kBSuffix), w->low_rank->b});
  }
  return tensors;
}

std::vector<NamedTensor> CausalLm::trainable_parameters() const {
  std::vector<NamedTensor> low_rank = low_rank_parameters();
  return low_rank.empty() ? parameters_ : low_rank;
}

Tensor CausalLm::merged_parameter(const NamedTensor& parameter) const {
  for (const LinearWeight* w : linears())
    if (w->low_rank && w->weight.is_same(parameter.tensor)) return merged_weight(*w);
  return parameter.tensor.detach();
}

void CausalLm::pack_weights(bool for_gradient) const {
  if (!runs_on_kernels()) return;
  std::vector<const LinearWeight*> all = linears();
  for (const LinearWeight* w : all)
    if (for_gradient && w->products == Products::kBFloat16) w->pack->get(w->weight, w->layout, w->products, true);
  all.push_back(&parts_.head);
  for (const LinearWeight* w : all) w->pack->get(w->weight, w->layout, w->products);
}

at::TensorOptions CausalLm::activation_options() const {
  const Tensor& w = parts_.token_embedding;
  return torch::dtype(w.scalar_type() == at::kBFloat16 && w.device().is_cpu() ? at::kFloat : w.scalar_type())
      .device(w.device());
}

bool CausalLm::runs_on_kernels() const {
  const at::TensorOptions options = activation_options();
  return options.dtype() == torch::kFloat32 && options.device().is_cpu();
}

void CausalLm::provide_positions(int64_t length) const {
  if (length > config_.max_position_embeddings)
    throw fail("a sequence of {} tokens is longer than the model's {} positions", length,
               config_.max_position_embeddings);
  if (parts_.position_embedding.defined() || (rope_.defined() && rope_.size(0) >= length)) return;
  // Grown by doubling, so that a long generation does not rebuild it at every token.
  const int64_t rows = std::min(config_.max_position_embeddings, std::max<int64_t>(256, 2 * length));
  rope_ = rope_table(config_, rows).to(parts_.token_embedding.device());
}

Tensor CausalLm::forward(const PackedBatch& batch, KvCache* cache, const std::vector<CachePlace>* places) const {
  provide_positions(longest(batch));
  Tensor x = embed_rows(parts_.token_embedding, batch.ids);
  if (parts_.position_embedding.defined()) x = x + embed_rows(parts_.position_embedding, batch.positions);
  const DecoderContext context{batch.offsets, batch.prefixes, batch.positions, rope_, cache, places};
  const bool recompute = recompute_ && cache == nullptr && records_graph();
  for (size_t i = 0; i < parts_.layers.size(); ++i) {
    const auto layer = static_cast<int64_t>(i);
    x = recompute ? forward_recomputed(parts_.layers[i], x, layer, context)
                  : forward_layer(parts_.layers[i], x, layer, context);
  }
  return parts_.final_norm(x);
}

Tensor CausalLm::hidden_states(const PackedBatch& batch) const {
  if (records_graph() || !runs_on_kernels()) return forward(batch, nullptr, nullptr);
  check_ids(batch.ids, parts_.token_embedding.size(0));
  check_prefixes(batch.prefixes, batch.offsets);
  provide_positions(longest(batch));
  Tensor hidden = torch::empty({batch.tokens(), config_.hidden_size}, activation_options());
  const Tensor ids = batch.ids.contiguous(), positions = batch.positions.contiguous();
  KernelPass pass(parts_);
  pass.run({read_pointer<int64_t>(ids), read_pointer<int64_t>(positions), batch.offsets, batch.prefixes, rope_},
           [&](size_t, const Share& share, const float* x) {
             pass.final_norm(share.rows, x, write_pointer<float>(hidden) + share.first_row * config_.hidden_size);
           });
  return hidden;
}

Tensor CausalLm::hidden_states(const PackedBatch& batch, KvCache& cache, const std::vector<CachePlace>& places) const {
  if (!batch.prefixes.empty()) throw Error("a batch for the key/value cache cannot have prefixes of its own");
  const torch::NoGradGuard no_grad;
  return forward(batch, &cache, &places);
}

Tensor CausalLm::logprobs(const PackedBatch& batch, const Tensor& rows, const Tensor& targets,
                          double temperature) const {
  return token_logprobs(hidden_states(batch).index_select(0, rows), parts_.head, targets, temperature);
}

}  // namespace agro
