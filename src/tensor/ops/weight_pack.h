#pragma once
// Weights as the right-hand side of a matrix product, packed once per change.
#include <optional>
#include <string_view>
#include <variant>

#include "tensor/ops/matmul_bfloat16.h"
#include "tensor/ops/matmul_cpu.h"
#include "tensor/torch_compat.h"

namespace agro {

/// How a weight lies in memory: [out, in] (torch Linear) or [in, out] (GPT-2's Conv1D).
enum class WeightLayout { kOutIn, kInOut };

/// What the matrix products of a layer, forward and backward, are made of: float32 numbers, or numbers rounded to
/// bfloat16 as they enter. Sums, weights and gradients are float32 in both.
enum class Products { kFloat32, kBFloat16 };

/// "float32" or "bfloat16"; throws Error for any other name.
Products products_named(std::string_view name);

/// The right-hand side of a product, packed for one kind of products.
using RightHandSide = std::variant<PackedMatrix, RoundedMatrix>;
void matmul(const StridedMatrix& a, const RightHandSide& b, float* out, int64_t out_stride,
            const MatmulOptions& options = {});

/// How often a right-hand side will be read: at once, it may be read where it lies, without a copy; often, a copy whose
/// panels are dense pays.
enum class Reads { kOnce, kOften };

/// Of x · Wᵀ, or of dy · W `for_gradient`. `weight` float32 or bfloat16 on the CPU; what is made for a gradient that is
/// read once may refer to it, so it must outlive the result unchanged.
RightHandSide pack_weight(const Tensor& weight, WeightLayout layout, bool for_gradient, Products products,
                          Reads reads = Reads::kOnce);

/// Of aᵀ · x, which sums over rows, as a weight's gradient does: x [rows, columns] dense float32, which the result may
/// refer to if it is read once.
RightHandSide pack_rows(const float* x, int64_t rows, int64_t columns, Products products, Reads reads = Reads::kOnce);

/// A weight in the kernel's layout, packed on first use and again whenever the tensor changed. Not thread-safe.
class WeightPack : public torch::CustomClassHolder {
 public:
  /// `weight` float32 or bfloat16 on the CPU. The reference stays valid until the next call.
  const RightHandSide& get(const Tensor& weight, WeightLayout layout, Products products, bool for_gradient = false);

  /// The copy for x · Wᵀ if there is one of this weight as it is now, else null.
  const RightHandSide* find(const Tensor& weight, Products products) const;

  /// Frees the copy for gradients, which the next get() of it makes again.
  void drop_gradient() { gradient_.reset(); }

 private:
  bool is_of(const Tensor& weight, Products products) const;

  std::optional<RightHandSide> forward_, gradient_;
  const void* data_ = nullptr;
  int64_t version_ = -1;
  Products products_ = Products::kFloat32;
};

}  // namespace agro
