#include "model/layer_function.h"

#include <algorithm>

#include "model/layer_backward.h"
#include "model/layer_call.h"
#include "model/layer_forward.h"

namespace agro {
namespace {

struct LayerFunction : torch::autograd::Function<LayerFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, at::TensorList parameters,
                        const c10::intrusive_ptr<LayerCall>& call) {
    Activations kept;
    const DecoderContext context = call->context();
    Tensor y = layer_forward(call->layer, context, x.contiguous(), kept);
    variable_list saved;
    kept.each([&](const Tensor& t) { saved.push_back(t); });
    // The parameters are saved for LibTorch's check that nobody changed them in between.
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    ctx->save_for_backward(saved);
    ctx->saved_data["call"] = at::IValue::make_capsule(call);
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    const auto call = at::static_intrusive_pointer_cast<LayerCall>(ctx->saved_data["call"].toCapsule());
    Activations kept;
    auto next = saved.begin();
    kept.each([&](Tensor& t) { t = *next++; });
    const DecoderContext context = call->context();
    const Tensor dy = grads[0].contiguous();
    variable_list result = layer_backward(call->layer, context, kept, dy);
    result.emplace_back();  // of `call`
    return result;
  }
};

/// Whether all of the layer's tensors are trained, and nothing else.
bool trains_all_weights(const DecoderLayer& layer) {
  return !layer.has_low_rank() && std::ranges::all_of(layer.tensors(), [](const Tensor& t) {
    return t.requires_grad() && on_kernel_path(t) && t.is_contiguous();
  });
}

}  // namespace

Tensor forward_layer(const DecoderLayer& layer, const Tensor& x, int64_t index, const DecoderContext& context) {
  const int64_t tokens = context.offsets.back();
  if (context.cache != nullptr || tokens == 0 || !records_graph() || !on_kernel_path(x) || !trains_all_weights(layer))
    return layer.forward(x, index, context);
  check_shape(x, {tokens, layer.attention_norm.weight.size(0)}, "input of a decoder layer");
  check_shape(context.positions, {tokens}, "positions of a decoder layer");
  if (context.rope.defined()) check_shape(context.rope, {-1, layer.shape.head_dim}, "table of the rotary embedding");
  check_prefixes(context.prefixes, context.offsets);
  const std::vector<Tensor> parameters = layer.trainable();
  return LayerFunction::apply(x, at::TensorList(parameters), c10::make_intrusive<LayerCall>(layer, index, context));
}

}  // namespace agro
