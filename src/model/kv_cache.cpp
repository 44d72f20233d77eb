#include "model/kv_cache.h"

#include <cstring>

namespace agro {

KvCache::KvCache(const ModelConfig& config, int64_t slots, int64_t capacity, const at::TensorOptions& options) {
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    keys_.push_back(torch::empty({slots, capacity, config.num_key_value_heads * config.head_dim}, options));
    values_.push_back(torch::empty_like(keys_.back()));
  }
}

int64_t KvCache::bytes_per_slot(const ModelConfig& config, int64_t capacity, int64_t element) {
  return 2 * config.num_hidden_layers * capacity * config.num_key_value_heads * config.head_dim * element;
}

void KvCache::copy_prefix(int64_t from, int64_t to, int64_t length) {
  for (auto* side : {&keys_, &values_})
    for (Tensor& cache : *side) {
      if (!on_kernel_path(cache)) {
        cache.select(0, to).narrow(0, 0, length).copy_(cache.select(0, from).narrow(0, 0, length));
        continue;
      }
      const int64_t slot = capacity() * cache.size(2);
      auto* all = write_pointer<float>(cache);
      std::memcpy(all + to * slot, all + from * slot, static_cast<size_t>(length * cache.size(2)) * sizeof(float));
    }
}

}  // namespace agro
