#pragma once
// Keys and values of the sequences being sampled: one slot per sequence, the same layout in every layer.
#include <vector>

#include "model/config.h"
#include "tensor/ops/attention.h"

namespace agro {

class KvCache {
 public:
  /// `slots` sequences of up to `capacity` positions. Memory: bytes_per_slot(config, capacity, element) · slots.
  KvCache(const ModelConfig& config, int64_t slots, int64_t capacity, const at::TensorOptions& options);

  /// `element`: bytes of a number.
  static int64_t bytes_per_slot(const ModelConfig& config, int64_t capacity, int64_t element = sizeof(float));

  int64_t slots() const { return keys_.front().size(0); }
  int64_t capacity() const { return keys_.front().size(1); }
  Tensor& keys(int64_t layer) { return keys_[static_cast<size_t>(layer)]; }      // [slots, capacity, K·D]
  Tensor& values(int64_t layer) { return values_[static_cast<size_t>(layer)]; }  // [slots, capacity, K·D]

  /// Copies the first `length` positions of one slot to another, all layers: a prompt shared by several responses.
  void copy_prefix(int64_t from, int64_t to, int64_t length);

 private:
  std::vector<Tensor> keys_, values_;
};

}  // namespace agro
