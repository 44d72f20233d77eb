#pragma once
// The forward pass where no gradient is wanted: the kernels of the differentiable pass, and so its bits, without
// tensors in between, in memory that is kept from call to call. Sequences meet only where one continues another, so
// each thread takes some of them through all layers by itself, where their number and the weights' size allow it.
#include <functional>
#include <memory>
#include <span>

#include "model/families.h"
#include "model/kv_cache.h"
#include "model/shares.h"

namespace agro {

/// Memory that keeps its size from call to call; contents undefined.
template <class T>
class KeptMemory {
 public:
  T* of(int64_t count) {
    if (count > size_) {
      values_ = std::make_unique_for_overwrite<T[]>(static_cast<size_t>(count));
      size_ = count;
    }
    return values_.get();
  }

 private:
  std::unique_ptr<T[]> values_;
  int64_t size_ = 0;
};

/// Packed sequences as kernels read them; what is behind the views is the caller's.
struct PackedView {
  const int64_t* ids = nullptr;        // [N], in the vocabulary
  const int64_t* positions = nullptr;  // [N], below the rows of `rope`
  const Offsets& offsets;              // sequence s: rows offsets[s] … offsets[s + 1] − 1
  const Prefixes& prefixes;            // as DecoderContext has them
  const Tensor& rope;                  // [P, D] or undefined
  KvCache* cache = nullptr;            // sequence s goes on at (*places)[s]; has room for it
  const std::vector<CachePlace>* places = nullptr;
};

class KernelPass {
 public:
  /// What is done with a share's rows [rows, C] before the final norm. Called on worker threads; may throw.
  using Finish = std::function<void(size_t index, const Share& share, const float* x)>;

  /// `parts` must outlive the pass. Activations float32 on the CPU; weights may change between calls.
  explicit KernelPass(const FamilyParts& parts);
  ~KernelPass();
  KernelPass(KernelPass&&) noexcept;

  /// Throws what `finish` throws.
  void run(const PackedView& batch, const Finish& finish);

  /// out [rows, C] = final norm of x; may be the same memory.
  void final_norm(int64_t rows, const float* x, float* out) const;

  /// Shares of the last run().
  size_t shares() const { return shares_.size(); }

 private:
  struct PackedLinear;
  struct PackedLayer;
  struct Workspace;

  void pack();
  void forward(const PackedView& batch, const Share& share, Workspace& space) const;
  void attend(const PackedView& batch, const Share& share, size_t layer, Workspace& space) const;
  void append_to_cache(const PackedView& batch, const Share& share, size_t layer, const float* k, const float* v,
                       std::vector<AttentionSpan>& spans) const;
  float* feed_forward(const DecoderLayer& layer, const PackedLayer& packed, int64_t rows, Workspace& space) const;

  const FamilyParts& parts_;
  int64_t columns_;           // C
  int64_t weight_bytes_ = 0;  // of all layers, as products read them
  std::vector<PackedLayer> layers_;
  std::vector<Share> shares_;
  std::vector<Workspace> spaces_;  // of each share
};

}  // namespace agro
