#include "tensor/ops/activation.h"

namespace agro {
namespace {

struct ActivationFunction : torch::autograd::Function<ActivationFunction> {
  static Tensor value(const Tensor& x, Activation act) {
    Tensor y = torch::empty_like(x);
    activation_forward(act, x.numel(), read_pointer<float>(x), write_pointer<float>(y));
    return y;
  }
  static Tensor forward(AutogradContext* ctx, const Tensor& x, int64_t act) {
    const Tensor input = x.contiguous();
    Tensor y = value(input, static_cast<Activation>(act));
    ctx->save_for_backward({input});
    ctx->saved_data["act"] = act;
    return y;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const Tensor x = ctx->get_saved_variables()[0], dy = grads[0].contiguous();
    Tensor dx = torch::empty_like(x);
    activation_backward(static_cast<Activation>(ctx->saved_data["act"].toInt()), x.numel(), read_pointer<float>(dy),
                        read_pointer<float>(x), write_pointer<float>(dx));
    return {dx, Tensor()};
  }
};

struct GatedFunction : torch::autograd::Function<GatedFunction> {
  static Tensor value(const Tensor& g, const Tensor& u, Activation act) {
    Tensor y = torch::empty_like(g);
    gated_forward(act, g.numel(), read_pointer<float>(g), read_pointer<float>(u), write_pointer<float>(y));
    return y;
  }
  static Tensor forward(AutogradContext* ctx, const Tensor& gate, const Tensor& up, int64_t act) {
    const Tensor g = gate.contiguous(), u = up.contiguous();
    Tensor y = value(g, u, static_cast<Activation>(act));
    ctx->save_for_backward({g, u});
    ctx->saved_data["act"] = act;
    return y;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor dy = grads[0].contiguous();
    Tensor dgate = torch::empty_like(saved[0]), dup = torch::empty_like(saved[1]);
    gated_backward(static_cast<Activation>(ctx->saved_data["act"].toInt()), dgate.numel(), read_pointer<float>(dy),
                   read_pointer<float>(saved[0]), read_pointer<float>(saved[1]), write_pointer<float>(dgate),
                   write_pointer<float>(dup));
    return {dgate, dup, Tensor()};
  }
};

}  // namespace

Tensor activation(const Tensor& x, Activation act) {
  if (!on_kernel_path(x)) return activation_ref(x, act);
  if (!records_graph()) return ActivationFunction::value(x.contiguous(), act);
  return ActivationFunction::apply(x, static_cast<int64_t>(act));
}

Tensor gated_activation(const Tensor& gate, const Tensor& up, Activation act) {
  if (gate.sizes() != up.sizes())
    throw fail("gated activation: gate has {} elements, the other factor {}", gate.numel(), up.numel());
  if (!on_kernel_path(gate)) return gated_activation_ref(gate, up, act);
  if (!records_graph()) return GatedFunction::value(gate.contiguous(), up.contiguous(), act);
  return GatedFunction::apply(gate, up, static_cast<int64_t>(act));
}

}  // namespace agro
