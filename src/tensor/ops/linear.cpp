#include "tensor/ops/linear.h"

#include "tensor/ops/norm_cpu.h"

namespace agro {
namespace {

/// out [a.cols, b.cols] = aᵀ · b for a [N, A], b [N, B].
Tensor transposed_product(const Tensor& a, const Tensor& b) {
  const int64_t n = a.size(0), rows = a.size(1), columns = b.size(1);
  Tensor out = torch::empty({rows, columns}, a.options());
  matmul({read_pointer<float>(a), rows, 1, rows}, PackedMatrix::from_plain(read_pointer<float>(b), n, columns, columns),
         write_pointer<float>(out), columns);
  return out;
}

struct LinearFunction : torch::autograd::Function<LinearFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const LinearWeight* w) {
    const Tensor input = x.contiguous();
    const PackedMatrix& packed = w->pack->get(weight, w->layout);
    Tensor out = torch::empty({input.size(0), packed.n()}, input.options());
    matmul({read_pointer<float>(input), input.size(0), input.size(1)}, packed, write_pointer<float>(out), packed.n(),
           {.bias = bias.numel() > 0 ? read_pointer<float>(bias) : nullptr});
    ctx->save_for_backward({input, weight});
    ctx->saved_data["conv1d"] = w->layout == WeightLayout::kInOut;
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], dy = grads[0].contiguous();
    const WeightLayout layout = ctx->saved_data["conv1d"].toBool() ? WeightLayout::kInOut : WeightLayout::kOutIn;
    Tensor dx, dweight, dbias;
    if (ctx->needs_input_grad(0)) {
      dx = torch::empty_like(x);
      matmul({read_pointer<float>(dy), dy.size(0), dy.size(1)}, pack_weight(weight, layout, true),
             write_pointer<float>(dx), x.size(1));
    }
    if (ctx->needs_input_grad(1))
      dweight = layout == WeightLayout::kOutIn ? transposed_product(dy, x) : transposed_product(x, dy);
    if (ctx->needs_input_grad(2)) {
      dbias = torch::empty({dy.size(1)}, dy.options());
      column_sum(dy.size(0), dy.size(1), read_pointer<float>(dy), write_pointer<float>(dbias));
    }
    return {dx, dweight, dbias, Tensor()};
  }
};

}  // namespace

PackedMatrix pack_weight(const Tensor& weight, WeightLayout layout, bool for_gradient) {
  const Tensor w = weight.contiguous();
  const int64_t rows = w.size(0), columns = w.size(1);
  // x·Wᵀ of an [out, in] weight and dy·W of an [in, out] one both need the transpose of what is stored.
  const bool transpose = (layout == WeightLayout::kOutIn) != for_gradient;
  if (w.scalar_type() == at::kBFloat16) {
    return transpose ? PackedMatrix::from_transposed(bfloat16_bits(w), rows, columns)
                     : PackedMatrix::from_plain(bfloat16_bits(w), rows, columns, columns);
  }
  return transpose ? PackedMatrix::from_transposed(read_pointer<float>(w), rows, columns)
                   : PackedMatrix::from_plain(read_pointer<float>(w), rows, columns, columns);
}

const PackedMatrix& WeightPack::get(const Tensor& weight, WeightLayout layout) {
  const int64_t version = weight.is_inference() ? 0 : static_cast<int64_t>(weight._version());
  if (packed_.empty() || data_ != weight.data_ptr() || version_ != version) {
    packed_ = PackedMatrix();  // frees the old copy before the new one is made
    packed_ = pack_weight(weight, layout, false);
    data_ = weight.data_ptr();
    version_ = version;
  }
  return packed_;
}

Tensor linear(const Tensor& x, const LinearWeight& w) {
  check_shape(x, {-1, w.in_features()}, "input of a linear layer");
  if (w.bias.defined()) check_shape(w.bias, {w.out_features()}, "bias of a linear layer");
  if (!on_kernel_path(x)) return linear_ref(x, w);
  // Autograd functions take defined tensors only: no bias is an empty one.
  return LinearFunction::apply(x, w.weight, w.bias.defined() ? w.bias : torch::empty({0}, x.options()), &w);
}

}  // namespace agro
