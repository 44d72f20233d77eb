#include "tensor/ops/linear.h"

#include "tensor/ops/norm_cpu.h"

namespace agro {
namespace {

/// out [a.cols, b.cols] = aᵀ · b for a [N, A], b [N, B].
Tensor transposed_product(const Tensor& a, const Tensor& b, Products products) {
  const int64_t n = a.size(0), rows = a.size(1), columns = b.size(1);
  Tensor out = torch::empty({rows, columns}, a.options());
  matmul({read_pointer<float>(a), rows, 1, rows}, pack_rows(read_pointer<float>(b), n, columns, products),
         write_pointer<float>(out), columns);
  return out;
}

struct LinearFunction : torch::autograd::Function<LinearFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const LinearWeight* w) {
    const Tensor input = x.contiguous();
    const int64_t columns = w->out_features();
    Tensor out = torch::empty({input.size(0), columns}, input.options());
    matmul({read_pointer<float>(input), input.size(0), input.size(1)}, w->pack->get(weight, w->layout, w->products),
           write_pointer<float>(out), columns, {.bias = bias.numel() > 0 ? read_pointer<float>(bias) : nullptr});
    ctx->save_for_backward({input, weight});
    ctx->saved_data["conv1d"] = w->layout == WeightLayout::kInOut;
    ctx->saved_data["bfloat16"] = w->products == Products::kBFloat16;
    ctx->saved_data["pack"] = at::IValue::make_capsule(w->pack);
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], dy = grads[0].contiguous();
    const WeightLayout layout = ctx->saved_data["conv1d"].toBool() ? WeightLayout::kInOut : WeightLayout::kOutIn;
    const Products products = ctx->saved_data["bfloat16"].toBool() ? Products::kBFloat16 : Products::kFloat32;
    Tensor dx, dweight, dbias;
    if (ctx->needs_input_grad(0)) {
      dx = torch::empty_like(x);
      const auto multiply = [&](const RightHandSide& packed) {
        matmul({read_pointer<float>(dy), dy.size(0), dy.size(1)}, packed, write_pointer<float>(dx), x.size(1));
      };
      // Kept only where both copies together are no larger than the weight.
      if (products == Products::kBFloat16)
        multiply(at::static_intrusive_pointer_cast<WeightPack>(ctx->saved_data["pack"].toCapsule())
                     ->get(weight, layout, products, true));
      else
        multiply(pack_weight(weight, layout, true, products));
    }
    if (ctx->needs_input_grad(1))
      dweight =
          layout == WeightLayout::kOutIn ? transposed_product(dy, x, products) : transposed_product(x, dy, products);
    if (ctx->needs_input_grad(2)) {
      dbias = torch::empty({dy.size(1)}, dy.options());
      column_sum(dy.size(0), dy.size(1), read_pointer<float>(dy), write_pointer<float>(dbias));
    }
    return {dx, dweight, dbias, Tensor()};
  }
};

}  // namespace

Products products_named(std::string_view name) {
  if (name == "float32") return Products::kFloat32;
  if (name == "bfloat16") return Products::kBFloat16;
  throw fail("products of '{}' are not known", name).hint("known: float32, bfloat16");
}

void matmul(const StridedMatrix& a, const RightHandSide& b, float* out, int64_t out_stride,
            const MatmulOptions& options) {
  std::visit([&](const auto& packed) { matmul(a, packed, out, out_stride, options); }, b);
}

RightHandSide pack_weight(const Tensor& weight, WeightLayout layout, bool for_gradient, Products products) {
  const Tensor w = weight.contiguous();
  const int64_t rows = w.size(0), columns = w.size(1);
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

RightHandSide pack_rows(const float* x, int64_t rows, int64_t columns, Products products) {
  if (products == Products::kBFloat16)
    return RoundedMatrix::from_plain(x, rows, columns, columns, RoundedMatrix::kVaryingK);
  return PackedMatrix::from_plain(x, rows, columns, columns);
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

Tensor linear(const Tensor& x, const LinearWeight& w) {
  check_shape(x, {-1, w.in_features()}, "input of a linear layer");
  if (w.bias.defined()) check_shape(w.bias, {w.out_features()}, "bias of a linear layer");
  if (!on_kernel_path(x)) return linear_ref(x, w);
  // Autograd functions take defined tensors only: no bias is an empty one.
  return LinearFunction::apply(x, w.weight, w.bias.defined() ? w.bias : torch::empty({0}, x.options()), &w);
}

}  // namespace agro
