#include "tensor/ops/norm.h"

#include "tensor/ops/norm_cpu.h"

namespace agro {
namespace {

NormShape shape_of(const Tensor& x, const Tensor& weight, double eps) {
  const int64_t c = weight.size(0);
  return {x.numel() / c, c, static_cast<float>(eps)};
}

struct RmsNormFunction : torch::autograd::Function<RmsNormFunction> {
  static Tensor value(const Tensor& input, const Tensor& weight, double eps, Tensor& inverse_rms) {
    const NormShape shape = shape_of(input, weight, eps);
    Tensor y = torch::empty_like(input);
    inverse_rms = torch::empty({shape.n}, input.options());
    rms_norm_forward(shape, read_pointer<float>(input), read_pointer<float>(weight), write_pointer<float>(y),
                     write_pointer<float>(inverse_rms));
    return y;
  }

  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, double eps) {
    const Tensor input = x.contiguous();
    Tensor inverse_rms, y = value(input, weight, eps, inverse_rms);
    ctx->save_for_backward({input, weight, inverse_rms});
    ctx->saved_data["eps"] = eps;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor dy = grads[0].contiguous();
    Tensor dx = torch::empty_like(saved[0]), dweight = torch::empty_like(saved[1]);
    const NormShape shape = shape_of(saved[0], saved[1], ctx->saved_data["eps"].toDouble());
    const auto *g = read_pointer<float>(dy), *x = read_pointer<float>(saved[0]),
               *inverse = read_pointer<float>(saved[2]);
    rms_norm_backward(shape, g, x, read_pointer<float>(saved[1]), inverse, write_pointer<float>(dx));
    rms_norm_weight_gradient(shape, g, x, inverse, write_pointer<float>(dweight));
    return {dx, dweight, Tensor()};
  }
};

struct LayerNormFunction : torch::autograd::Function<LayerNormFunction> {
  static Tensor value(const Tensor& input, const Tensor& weight, const Tensor& bias, double eps, Tensor& mean,
                      Tensor& inverse_std) {
    const NormShape shape = shape_of(input, weight, eps);
    Tensor y = torch::empty_like(input);
    mean = torch::empty({shape.n}, input.options()), inverse_std = torch::empty_like(mean);
    layer_norm_forward(shape, read_pointer<float>(input), read_pointer<float>(weight), read_pointer<float>(bias),
                       write_pointer<float>(y), write_pointer<float>(mean), write_pointer<float>(inverse_std));
    return y;
  }

  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
    const Tensor input = x.contiguous();
    Tensor mean, inverse_std, y = value(input, weight, bias, eps, mean, inverse_std);
    ctx->save_for_backward({input, weight, mean, inverse_std});
    ctx->saved_data["eps"] = eps;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor dy = grads[0].contiguous();
    Tensor dx = torch::empty_like(saved[0]), dweight = torch::empty_like(saved[1]), dbias = torch::empty_like(saved[1]);
    const NormShape shape = shape_of(saved[0], saved[1], ctx->saved_data["eps"].toDouble());
    const auto *g = read_pointer<float>(dy), *x = read_pointer<float>(saved[0]);
    const auto *mean = read_pointer<float>(saved[2]), *inverse = read_pointer<float>(saved[3]);
    layer_norm_backward(shape, g, x, read_pointer<float>(saved[1]), mean, inverse, write_pointer<float>(dx));
    layer_norm_weight_gradient(shape, g, x, mean, inverse, write_pointer<float>(dweight), write_pointer<float>(dbias));
    return {dx, dweight, dbias, Tensor()};
  }
};

void check_rows(const Tensor& x, const Tensor& weight) {
  if (x.dim() != 2 || weight.dim() != 1 || x.size(1) % weight.size(0) != 0)
    throw fail("norm: input of {} columns does not fit a weight of {}", x.size(-1), weight.numel());
}

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  check_rows(x, weight);
  if (!on_kernel_path(x)) return rms_norm_ref(x, weight, eps);
  if (records_graph()) return RmsNormFunction::apply(x, weight, eps);
  Tensor inverse_rms;
  return RmsNormFunction::value(x.contiguous(), weight, eps, inverse_rms);
}

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  check_shape(x, {-1, weight.numel()}, "input of layer_norm");
  check_shape(bias, {weight.numel()}, "bias of layer_norm");
  if (!on_kernel_path(x)) return layer_norm_ref(x, weight, bias, eps);
  if (records_graph()) return LayerNormFunction::apply(x, weight, bias, eps);
  Tensor mean, inverse_std;
  return LayerNormFunction::value(x.contiguous(), weight, bias, eps, mean, inverse_std);
}

}  // namespace agro
