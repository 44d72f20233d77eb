#include "tensor/ops/token_logprob.h"

#include <vector>

#include "tensor/ops/embedding.h"
#include "tensor/ops/head_gradient.h"

namespace agro {
namespace {

struct TokenLogprobFunction : torch::autograd::Function<TokenLogprobFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& hidden_in, const Tensor& weight, const Tensor& targets_in,
                        const LinearWeight* head, double temperature) {
    const Tensor hidden = hidden_in.contiguous(), targets = targets_in.contiguous();
    const RowNormalizers rows = row_normalizers(hidden, weight, *head, targets, temperature);
    const int64_t n = rows.rows();
    Tensor out = torch::empty({n}, hidden.options()), lse = torch::empty({n}, hidden.options());
    for (int64_t row = 0; row < n; ++row) {
      write_pointer<float>(out)[row] = rows.logprob(row);
      write_pointer<float>(lse)[row] = rows.log_sum_exp(row);
    }
    ctx->save_for_backward({hidden, weight, targets, lse});
    ctx->saved_data["temperature"] = temperature;
    ctx->saved_data["bfloat16"] = head->products == Products::kBFloat16;
    ctx->saved_data["pack"] = at::IValue::make_capsule(head->pack);
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    LinearWeight head;
    head.weight = saved[1];
    head.products = ctx->saved_data["bfloat16"].toBool() ? Products::kBFloat16 : Products::kFloat32;
    head.pack = at::static_intrusive_pointer_cast<WeightPack>(ctx->saved_data["pack"].toCapsule());
    HeadGradient gradient(saved[0], head, ctx->needs_input_grad(1));
    gradient.from_normalizers(saved[2], read_pointer<float>(saved[3]), grads[0].contiguous(),
                              ctx->saved_data["temperature"].toDouble(), nullptr);
    return {gradient.hidden_gradient(), gradient.head_gradient(), Tensor(), Tensor(), Tensor()};
  }
};

/// Passes on the gradients that were computed with the value.
struct SumFunction : torch::autograd::Function<SumFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor&, const Tensor&, const Tensor& sum, const Tensor& dhidden,
                        const Tensor& dweight) {
    ctx->save_for_backward({dhidden, dweight});
    return sum.clone();
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const auto times = [&](const Tensor& x) {
      return x.numel() == 0 ? Tensor() : grads[0].item<float>() == 1.0F ? x : x * grads[0];
    };
    return {times(saved[0]), times(saved[1]), Tensor(), Tensor(), Tensor()};
  }
};

/// log Σ exp of each row, from its log-probability and the logit of its target alone: [N].
std::vector<float> normalizers_from(const Tensor& hidden, const LinearWeight& head, const Tensor& targets,
                                    const Tensor& known, double temperature) {
  const auto exact = [&](const Tensor& x) {
    return (head.products == Products::kBFloat16 ? x.to(torch::kBFloat16) : x).to(torch::kDouble);
  };
  std::vector<float> result;
  for (const TokenChunk& chunk : chunks_of_tokens(hidden.size(0), kTokenChunk)) {
    const auto part = [&](const Tensor& x) { return x.narrow(0, chunk.begin, chunk.rows); };
    const Tensor logits = (exact(part(hidden)) * exact(head.weight.index_select(0, part(targets)))).sum(1);
    const Tensor lse = (logits / temperature - part(known)).to(torch::kFloat).contiguous();
    result.insert(result.end(), read_pointer<float>(lse), read_pointer<float>(lse) + chunk.rows);
  }
  return result;
}

/// The gradient where whole rows of logits would take too much memory: logits twice, block after block.
void from_two_passes(HeadGradient& gradient, const Tensor& hidden, const LinearWeight& head, const Tensor& targets,
                     const Tensor& weights, double temperature, RowNormalizers& rows) {
  rows = row_normalizers(hidden, head.weight, head, targets, temperature);
  std::vector<float> log_sum_exp;
  for (int64_t row = 0; row < rows.rows(); ++row) log_sum_exp.push_back(rows.log_sum_exp(row));
  gradient.from_normalizers(targets, log_sum_exp.data(), weights, temperature, nullptr);
}

void check(const Tensor& hidden, const LinearWeight& head, const Tensor& targets) {
  check_shape(hidden, {targets.size(0), head.in_features()}, "hidden states of the output head");
  if (head.layout != WeightLayout::kOutIn || head.bias.defined())
    throw Error("the output head must be [vocabulary, hidden] without bias");
  if (targets.device().is_cpu()) check_ids(targets, head.out_features());
  if (on_kernel_path(hidden) && head.weight.scalar_type() != at::kFloat && head.weight.requires_grad())
    throw Error("a trainable output head must be float32");
}

}  // namespace

Tensor token_logprobs(const Tensor& hidden, const LinearWeight& head, const Tensor& targets, double temperature) {
  check(hidden, head, targets);
  if (!on_kernel_path(hidden)) return token_logprobs_ref(hidden, head, targets, temperature);
  return TokenLogprobFunction::apply(hidden, head.weight, targets, &head, temperature);
}

WeightedLogprobs weighted_token_logprobs(const Tensor& hidden, const LinearWeight& head, const Tensor& targets,
                                         const Tensor& weights, const Tensor& known, double temperature) {
  check(hidden, head, targets);
  check_shape(weights, {hidden.size(0)}, "weights of log-probabilities");
  if (known.defined()) check_shape(known, {hidden.size(0)}, "known log-probabilities");
  if (!on_kernel_path(hidden)) return weighted_token_logprobs_ref(hidden, head, targets, weights, temperature);
  Tensor logprobs, sum, dhidden, dweight;
  {
    const torch::NoGradGuard no_grad;
    const Tensor x = hidden.detach().contiguous(), ids = targets.contiguous(),
                 w = weights.to(torch::kFloat).contiguous();
    HeadGradient gradient(x, head, head.weight.requires_grad());
    RowNormalizers rows(ids, temperature);
    if (known.defined())
      gradient.from_normalizers(ids, normalizers_from(x, head, ids, known, temperature).data(), w, temperature, &rows);
    else if (gradient.whole_rows_fit())
      gradient.from_whole_rows(ids, w, temperature, rows);
    else
      from_two_passes(gradient, x, head, ids, w, temperature, rows);
    logprobs = torch::empty({x.size(0)}, x.options());
    for (int64_t row = 0; row < rows.rows(); ++row) write_pointer<float>(logprobs)[row] = rows.logprob(row);
    sum = (logprobs.to(torch::kDouble) * w).sum().to(torch::kFloat);
    dhidden = gradient.hidden_gradient();
    dweight = gradient.head_gradient().defined() ? gradient.head_gradient() : torch::empty({0});
  }
  return {SumFunction::apply(hidden, head.weight, sum, dhidden, dweight), logprobs};
}

}  // namespace agro
