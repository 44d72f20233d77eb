#pragma once
// AdamW on flat buffers: parameters, gradients and moments each lie in one block of memory, the model's tensors are
// views into them.
#include <span>
#include <string>
#include <vector>

#include "core/config.h"
#include "model/causal_lm.h"

namespace agro {

struct OptimizerConfig {
  double learning_rate = 1e-5;
  double beta1 = 0.9, beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0.0;
  double clip_norm = 1.0;
  std::string schedule = "constant";
  int64_t warmup_steps = 0;
  double min_learning_rate_ratio = 0.0;

  void visit(ConfigVisitor& v);
};

/// Learning rate of optimiser step `step` (0, 1, …) of `total`: linear warm-up from 0 over warmup_steps, then constant,
/// linear to min, or a half cosine to min. With min_learning_rate_ratio = 0 as transformers' schedules have it.
double learning_rate_at(const OptimizerConfig& config, int64_t step, int64_t total);

/// Parameters with a learning rate of their own, as a multiple of the common one.
struct ParameterGroup {
  std::vector<NamedTensor> parameters;
  double learning_rate_scale = 1;
};

class AdamW {
 public:
  /// Moves the parameters into a flat float32 buffer and makes them trainable. Whoever owns them must outlive this.
  AdamW(std::span<const ParameterGroup> groups, const OptimizerConfig& config);

  void zero_gradients();

  /// L2 norm of all gradients, before clipping; not finite if any gradient is not.
  double gradient_norm() const;

  /// One update with the gradients clipped to config.clip_norm (0: no clipping), given their norm. Weight decay applies
  /// to every parameter, as torch.optim.AdamW over model.parameters() does.
  void step(double learning_rate, double gradient_norm);

  int64_t steps_done() const { return steps_; }

  /// First and second moments under "exp_avg.NAME", "exp_avg_sq.NAME", and the parameters under "weight.NAME".
  std::vector<NamedTensor> state() const;
  /// Sets the number of updates behind the moments; used with tensors written into state()'s handles.
  void restore(int64_t steps);

 private:
  struct Segment {
    int64_t first, count;  // of the flat buffers
    double learning_rate_scale;
  };
  std::vector<NamedTensor> parameters_;
  std::vector<Segment> segments_;  // one for each group
  OptimizerConfig config_;
  Tensor weights_, gradients_, exp_avg_, exp_avg_sq_;  // [total] float32
  int64_t steps_ = 0;
};

}  // namespace agro
