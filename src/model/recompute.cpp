#include "model/recompute.h"

#include <utility>

#include "model/layer_call.h"
#include "model/layer_function.h"

namespace agro {
namespace {

Tensor run(const LayerCall& call, const Tensor& x) { return forward_layer(call.layer, x, call.index, call.context()); }

struct RecomputeFunction : torch::autograd::Function<RecomputeFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, at::TensorList parameters,
                        const c10::intrusive_ptr<LayerCall>& call) {
    // The parameters are saved for LibTorch's check that nobody changed them in between.
    variable_list saved{x};
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    ctx->save_for_backward(saved);
    ctx->saved_data["call"] = at::IValue::make_capsule(call);
    return run(*call, x);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    const auto call = at::static_intrusive_pointer_cast<LayerCall>(ctx->saved_data["call"].toCapsule());
    variable_list inputs = call->layer.trainable();
    const bool input_gradient = ctx->needs_input_grad(0);
    const Tensor x = saved[0].detach().set_requires_grad(input_gradient);
    if (input_gradient) inputs.insert(inputs.begin(), x);
    variable_list result;
    {
      const torch::AutoGradMode graph(true);
      result = gradients_of(run(*call, x), inputs, grads[0]);
    }
    // Weights that change need these copies once in a pass: held for all layers, they are as large as the model.
    for (const LinearWeight* w : std::as_const(call->layer).linears())
      if (w->weight.requires_grad()) w->pack->drop_gradient();
    if (!input_gradient) result.insert(result.begin(), Tensor());
    result.emplace_back();  // of `call`
    return result;
  }
};

}  // namespace

Tensor forward_recomputed(const DecoderLayer& layer, const Tensor& x, int64_t index, const DecoderContext& context) {
  const std::vector<Tensor> parameters = layer.trainable();
  return RecomputeFunction::apply(x, at::TensorList(parameters), c10::make_intrusive<LayerCall>(layer, index, context));
}

}  // namespace agro
