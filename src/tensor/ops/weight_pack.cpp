#include "tensor/ops/weight_pack.h"

namespace agro {

Products products_named(std::string_view name) {
  if (name == "float32") return Products::kFloat32;
  if (name == "bfloat16") return Products::kBFloat16;
  throw fail("products of '{}' are not known", name).hint("known: float32, bfloat16");
}

void matmul(const StridedMatrix& a, const RightHandSide& b, float* out, int64_t out_stride,
            const MatmulOptions& options) {
  std::visit([&](const auto& packed) { matmul(a, packed, out, out_stride, options); }, b);
}

RightHandSide pack_weight(const Tensor& weight, WeightLayout layout, bool for_gradient, Products products,
                          Reads reads) {
  const Tensor w = weight.contiguous();
  const int64_t rows = w.size(0), columns = w.size(1);
  if (reads == Reads::kOnce && products == Products::kFloat32 && for_gradient && layout == WeightLayout::kOutIn &&
      weight.is_contiguous() && w.scalar_type() == at::kFloat)
    return PackedMatrix::view_or_copy(read_pointer<float>(w), rows, columns, columns);
  // x·Wᵀ of an [out, in] weight and dy·W of an [in, out] one both need the transpose of what is stored.
  const bool transpose = (layout == WeightLayout::kOutIn) != for_gradient;
  const auto pack = [&](const auto* values) -> RightHandSide {
    if (products == Products::kBFloat16)
      return transpose ? RoundedMatrix::from_transposed(values, rows, columns)
                       : RoundedMatrix::from_plain(values, rows, columns, columns);
    return transpose ? PackedMatrix::from_transposed(values, rows, columns)
                     : PackedMatrix::from_plain(values, rows, columns, columns);
  };
  return w.scalar_type() == at::kBFloat16 ? pack(bfloat16_bits(w)) : pack(read_pointer<float>(w));
}

RightHandSide pack_rows(const float* x, int64_t rows, int64_t columns, Products products, Reads reads) {
  if (products == Products::kBFloat16)
    return RoundedMatrix::from_plain(x, rows, columns, columns, RoundedMatrix::kVaryingK);
  return reads == Reads::kOnce ? PackedMatrix::view_or_copy(x, rows, columns, columns)
                               : PackedMatrix::from_plain(x, rows, columns, columns);
}

namespace {

int64_t version_of(const Tensor& weight) { return weight.is_inference() ? 0 : static_cast<int64_t>(weight._version()); }

}  // namespace

bool WeightPack::is_of(const Tensor& weight, Products products) const {
  return data_ == weight.data_ptr() && version_ == version_of(weight) && products_ == products;
}

const RightHandSide* WeightPack::find(const Tensor& weight, Products products) const {
  return forward_ && is_of(weight, products) ? &*forward_ : nullptr;
}

const RightHandSide& WeightPack::get(const Tensor& weight, WeightLayout layout, Products products, bool for_gradient) {
  if (!is_of(weight, products)) {
    forward_.reset(), gradient_.reset();  // frees the old copies before a new one is made
    data_ = weight.data_ptr();
    version_ = version_of(weight);
    products_ = products;
  }
  std::optional<RightHandSide>& packed = for_gradient ? gradient_ : forward_;
  if (!packed) packed = pack_weight(weight, layout, for_gradient, products);
  return *packed;
}

}  // namespace agro
