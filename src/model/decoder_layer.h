#pragma once
// One transformer block, the same for every family: what a family lacks is left undefined.
//
//   x ── norm ── q,k,v ── (q/k norm) ── (rotary) ── attention ── o ──(+)── norm ── feed-forward ──(+)──
//   └────────────────────────────────────────────────────────────────┘ └────────────────────────────┘
#include <optional>

#include "model/config.h"
#include "model/kv_cache.h"
#include "tensor/ops/activation.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/linear.h"

namespace agro {

/// RMSNorm, or LayerNorm where a bias is defined.
struct Norm {
  Tensor weight, bias;
  double epsilon = 1e-5;
  Tensor operator()(const Tensor& x) const;
};

/// What a forward pass works on: packed rows, no padding.
struct DecoderContext {
  const Offsets& offsets;                           // sequence s: rows offsets[s] … offsets[s+1] − 1
  const Prefixes& prefixes;                         // which sequence each one continues; none where empty
  const Tensor& positions;                          // [N] int64
  const Tensor& rope;                               // [P, D] or undefined
  KvCache* cache = nullptr;                         // sampling: keys of earlier positions
  const std::vector<CachePlace>* places = nullptr;  // with `cache`: where each sequence stands
};

struct DecoderLayer {
  Norm attention_norm, feed_forward_norm;
  std::optional<LinearWeight> qkv;  // GPT-2: one projection to [q | k | v]
  LinearWeight q, k, v;             // the others
  LinearWeight o;
  std::optional<Norm> q_norm, k_norm;  // Qwen3
  std::optional<LinearWeight> gate;    // gated feed-forward where present
  LinearWeight up, down;
  AttentionShape shape;
  Activation act = Activation::kSilu;

  void set_products(Products products);

  /// The linear layers, in the order of the forward pass. Pointers into this object.
  std::vector<LinearWeight*> linears();
  std::vector<const LinearWeight*> linears() const;

  /// Every tensor, low-rank parts included, and those of them that require a gradient, in the same order.
  std::vector<Tensor> tensors() const;
  std::vector<Tensor> trainable() const;

  bool has_low_rank() const;

  /// What the products of a pass read of all linear layers.
  int64_t weight_bytes() const;

  /// x [N, C] → [N, C].
  Tensor forward(const Tensor& x, int64_t layer, const DecoderContext& context) const;

 private:
  Tensor attend(const Tensor& x, int64_t layer, const DecoderContext& context) const;
};

}  // namespace agro
