#pragma once
// The fence around LibTorch: every difference between the versions we build against (1.13 … 2.x) is settled here, and
// the rooms include this instead of torch headers.
#include <ATen/core/ivalue.h>  // before autograd's headers, which leave it incomplete: clang wants it whole
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>
#include <torch/version.h>

#include <cstdint>
#include <vector>

#include "core/error.h"

namespace agro {

using Tensor = at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Read and write pointers; LibTorch 2 distinguishes them, 1.13 does not.
template <class T>
const T* read_pointer(const Tensor& t) {
#if TORCH_VERSION_MAJOR >= 2
  return t.const_data_ptr<T>();
#else
  return t.data_ptr<T>();
#endif
}
template <class T>
T* write_pointer(const Tensor& t) {
#if TORCH_VERSION_MAJOR >= 2
  return t.mutable_data_ptr<T>();
#else
  return t.data_ptr<T>();
#endif
}

/// bfloat16 storage as the kernels see it.
inline const uint16_t* bfloat16_bits(const Tensor& t) {
  return reinterpret_cast<const uint16_t*>(read_pointer<at::BFloat16>(t));
}

/// True where our CPU kernels apply: dense float32 in main memory. Everything else takes the LibTorch path.
inline bool on_kernel_path(const Tensor& t) { return t.device().is_cpu() && t.scalar_type() == at::kFloat; }

/// Whether operators must note what a backward pass needs. Where not, as in sampling, an operator computes its value
/// without autograd's function, whose bookkeeping costs as much as a small kernel.
inline bool records_graph() { return at::GradMode::is_enabled(); }

/// Tells autograd and packed copies that the tensor's memory was changed behind LibTorch's back.
inline void mark_changed(const Tensor& t) { t.unsafeGetTensorImpl()->bump_version(); }

/// d (Σ output · cotangent) / d input for each of `inputs`; undefined for one that `output` does not depend on. Frees
/// the graph of `output`; leaves' .grad are not touched. May be called during a backward pass.
variable_list gradients_of(const Tensor& output, const variable_list& inputs, const Tensor& cotangent);

/// Throws Error "NAME has shape [..], expected [..]" unless the sizes agree; −1 accepts any size.
void check_shape(const Tensor& t, std::initializer_list<int64_t> expected, const char* name);

/// int64 tensor owning a copy of `values`.
Tensor int64_tensor(const std::vector<int64_t>& values);

}  // namespace agro
