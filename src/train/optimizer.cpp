#include "train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tensor/machine.h"
#include "tensor/ops/adamw_cpu.h"

namespace agro {

void OptimizerConfig::visit(ConfigVisitor& v) {
  v.field("learning_rate", learning_rate, {.min = 0, .max = 10}, "Learning rate once the warm-up is over.");
  v.field("beta1", beta1, {.min = 0, .max = 0.99999}, "Decay of the first moment.");
  v.field("beta2", beta2, {.min = 0, .max = 0.9999999}, "Decay of the second moment.");
  v.field("eps", eps, {.min = 0, .max = 1}, "Added to the root of the second moment.");
  v.field("weight_decay", weight_decay, {.min = 0, .max = 10}, "Decoupled weight decay, on every parameter.");
  v.field("clip_norm", clip_norm, {.min = 0, .max = 1e9},
          "Gradients are scaled down to this global L2 norm; 0: never.");
  v.field("schedule", schedule, {"constant", "linear", "cosine"}, "Course of the learning rate after the warm-up.");
  v.field("warmup_steps", warmup_steps, {.min = 0, .max = 1e9}, "Steps in which the learning rate rises from 0.");
  v.field("min_learning_rate_ratio", min_learning_rate_ratio, {.min = 0, .max = 1},
          "Where linear and cosine end, as a share of learning_rate.");
}

double learning_rate_at(const OptimizerConfig& config, int64_t step, int64_t total) {
  if (step < config.warmup_steps)
    return config.learning_rate * static_cast<double>(step) /
           static_cast<double>(std::max<int64_t>(1, config.warmup_steps));
  const double span = static_cast<double>(std::max<int64_t>(1, total - config.warmup_steps));
  const double progress = std::min(1.0, static_cast<double>(step - config.warmup_steps) / span);
  double share = 1.0;
  if (config.schedule == "linear") share = 1.0 - progress;
  if (config.schedule == "cosine") share = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return config.learning_rate * (config.min_learning_rate_ratio + (1.0 - config.min_learning_rate_ratio) * share);
}

AdamW::AdamW(std::span<const ParameterGroup> groups, const OptimizerConfig& config) : config_(config) {
  int64_t total = 0;
  for (const ParameterGroup& group : groups) {
    Segment segment{total, 0, group.learning_rate_scale};
    for (const NamedTensor& p : group.parameters) segment.count += p.tensor.numel();
    total += segment.count;
    segments_.push_back(segment);
    parameters_.insert(parameters_.end(), group.parameters.begin(), group.parameters.end());
  }
  const auto options = torch::dtype(torch::kFloat32).device(parameters_.front().tensor.device());
  const auto for_each_view = [&](const Tensor& flat, const auto& use) {
    int64_t first = 0;
    for (NamedTensor& p : parameters_) {
      use(p.tensor, flat.narrow(0, first, p.tensor.numel()).view(p.tensor.sizes()));
      first += p.tensor.numel();
    }
  };
  weights_ = torch::empty({total}, options);
  for_each_view(weights_, [](Tensor& parameter, const Tensor& home) {
    home.copy_(parameter.detach());
    parameter.set_data(home);
    parameter.set_requires_grad(true);
  });
  // The old homes are free now: without this they and what follows would be resident together.
  release_freed_memory();
  gradients_ = torch::zeros({total}, options);
  for_each_view(gradients_, [](Tensor& parameter, const Tensor& home) { parameter.mutable_grad() = home; });
  exp_avg_ = torch::zeros({total}, options);
  exp_avg_sq_ = torch::zeros({total}, options);
}

void AdamW::zero_gradients() { gradients_.zero_(); }

double AdamW::gradient_norm() const {
  if (gradients_.device().is_cpu())
    return std::sqrt(sum_of_squares(gradients_.numel(), read_pointer<float>(gradients_)));
  return gradients_.norm().item<double>();
}

void AdamW::step(double learning_rate, double gradient_norm) {
  const torch::NoGradGuard no_grad;
  ++steps_;
  const double clip = config_.clip_norm > 0 ? std::min(1.0, config_.clip_norm / (gradient_norm + 1e-6)) : 1.0;
  const double bias1 = 1.0 - std::pow(config_.beta1, static_cast<double>(steps_));
  const double bias2 = 1.0 - std::pow(config_.beta2, static_cast<double>(steps_));
  for (const Segment& segment : segments_) {
    const auto part = [&](const Tensor& flat) { return flat.narrow(0, segment.first, segment.count); };
    const Tensor weights = part(weights_), gradients = part(gradients_);
    const Tensor exp_avg = part(exp_avg_), exp_avg_sq = part(exp_avg_sq_);
    const double rate = learning_rate * segment.learning_rate_scale;
    if (weights_.device().is_cpu()) {
      adamw_step({static_cast<float>(rate), static_cast<float>(config_.beta1), static_cast<float>(config_.beta2),
                  static_cast<float>(config_.eps), static_cast<float>(config_.weight_decay), static_cast<float>(clip),
                  static_cast<float>(bias1), static_cast<float>(bias2)},
                 segment.count, read_pointer<float>(gradients), write_pointer<float>(weights),
                 write_pointer<float>(exp_avg), write_pointer<float>(exp_avg_sq));
    } else {
      const Tensor g = gradients * clip;
      weights.mul_(1.0 - rate * config_.weight_decay);
      exp_avg.mul_(config_.beta1).add_(g, 1.0 - config_.beta1);
      exp_avg_sq.mul_(config_.beta2).addcmul_(g, g, 1.0 - config_.beta2);
      weights.addcdiv_(exp_avg, (exp_avg_sq.sqrt() / std::sqrt(bias2)).add_(config_.eps), -rate / bias1);
    }
  }
  for (const NamedTensor& p : parameters_) mark_changed(p.tensor);
}

std::vector<NamedTensor> AdamW::state() const {
  std::vector<NamedTensor> tensors;
  const std::pair<const char*, const Tensor*> parts[] = {
      {"weight.", &weights_}, {"exp_avg.", &exp_avg_}, {"exp_avg_sq.", &exp_avg_sq_}};
  for (const auto& [prefix, flat] : parts) {
    int64_t first = 0;
    for (const NamedTensor& p : parameters_) {
      tensors.push_back({prefix + p.name, flat->narrow(0, first, p.tensor.numel()).view(p.tensor.sizes())});
      first += p.tensor.numel();
    }
  }
  return tensors;
}

void AdamW::restore(int64_t steps) {
  steps_ = steps;
  for (const NamedTensor& p : parameters_) mark_changed(p.tensor);
}

}  // namespace agro
