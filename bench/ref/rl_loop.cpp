#include "bench/ref/rl_loop.h"

#include <torch/nn/utils/clip_grad.h>

#include <algorithm>

namespace agro {
namespace {

/// Prompts and responses side by side, padded on the right, where a causal model does not see it.
struct PaddedBatch {
  Tensor ids;            // [B, T]
  Tensor rows, targets;  // [N]: places that predict response tokens, and these
  Tensor response;       // [N]: which response a token belongs to
  int64_t responses = 0;
};

PaddedBatch pad_right(const std::vector<TokenIds>& prompts, const std::vector<std::vector<TokenIds>>& responses) {
  size_t longest = 0;
  for (size_t g = 0; g < prompts.size(); ++g)
    for (const TokenIds& r : responses[g]) longest = std::max(longest, prompts[g].size() + r.size() - 1);
  PaddedBatch batch;
  std::vector<int64_t> ids, rows, targets, response;
  for (size_t g = 0; g < prompts.size(); ++g) {
    for (const TokenIds& r : responses[g]) {
      const size_t first = ids.size();
      ids.insert(ids.end(), prompts[g].begin(), prompts[g].end());
      ids.insert(ids.end(), r.begin(), r.end() - 1);
      ids.resize(first + longest, 0);
      for (size_t t = 0; t < r.size(); ++t) rows.push_back(static_cast<int64_t>(first + prompts[g].size() - 1 + t));
      targets.insert(targets.end(), r.begin(), r.end());
      response.insert(response.end(), r.size(), batch.responses++);
    }
  }
  batch.ids = int64_tensor(ids).view({batch.responses, -1});
  batch.rows = int64_tensor(rows), batch.targets = int64_tensor(targets), batch.response = int64_tensor(response);
  return batch;
}

}  // namespace

PlainRlLoop::PlainRlLoop(const CausalLm& model, const PlainRlOptions& options)
    : options_(options),
      policy_(model),
      reference_(model),
      optimizer_(policy_.parameters(), torch::optim::AdamWOptions(options.learning_rate)
                                           .betas({options.beta1, options.beta2})
                                           .eps(options.eps)
                                           .weight_decay(0)) {}

double PlainRlLoop::update(const std::vector<TokenIds>& prompts, const std::vector<std::vector<TokenIds>>& responses,
                           const std::vector<std::vector<double>>& rewards) {
  const PaddedBatch batch = pad_right(prompts, responses);
  std::vector<double> flat;
  for (const auto& of_prompt : rewards) flat.insert(flat.end(), of_prompt.begin(), of_prompt.end());
  const Tensor reward = torch::tensor(flat, torch::kFloat);
  Tensor ref_logprobs;
  {
    const torch::NoGradGuard no_grad;
    ref_logprobs = reference_.logprobs_at(batch.ids, batch.rows, batch.targets);
  }
  optimizer_.zero_grad();
  const Tensor log_ratio = policy_.logprobs_at(batch.ids, batch.rows, batch.targets) - ref_logprobs;
  const Tensor by_response = torch::zeros({batch.responses}).index_add(0, batch.response, log_ratio);
  const Tensor regularized = (reward - options_.beta * by_response).view({static_cast<int64_t>(prompts.size()), -1});
  const Tensor loss = regularized.var(1, /*unbiased=*/true).mean() / (2 * options_.beta);
  loss.backward();
  torch::nn::utils::clip_grad_norm_(policy_.parameters(), options_.clip_norm);
  optimizer_.step();
  return loss.item<double>();
}

}  // namespace agro
