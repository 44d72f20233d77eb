#pragma once
// The [objective] section of a configuration. A key means the same for every objective that reads it; make_objective()
// refuses one that was changed but is not read.
#include <string>

#include "core/config.h"

namespace agro {

/// Stands for "what the objective's paper or usual code takes", where objectives differ.
constexpr double kOwnDefault = -1;

inline double or_own(double configured, double own) { return configured == kOwnDefault ? own : configured; }

struct ObjectiveConfig {
  std::string name = "agro";
  double beta = 0.1;

  std::string loss_scale = "one_over_beta";
  std::string form = "variance";
  bool through_sampling = false;
  std::string credit = "sequence";

  std::string kl_estimator = "k3";
  double clip_epsilon = kOwnDefault;
  double clip_low = kOwnDefault;
  double clip_high = kOwnDefault;
  double truncate = kOwnDefault;
  std::string standardize = "own";
  std::string normalization = "grpo";
  int64_t normalization_length = 0;
  double gamma = 1;
  double lambda = 0.95;
  double value_coefficient = kOwnDefault;
  double value_clip = 0.2;

  double baseline = 0.5;
  double baseline_shift = -0.1;
  std::string partition = "mean";
  std::string pairing = "given";
  double label_smoothing = 0;
  bool length_normalize = false;
  double reward_threshold = 0.5;
  double desirable_weight = 1;
  double undesirable_weight = 1;
  std::string reference_point = "batch";

  void visit(ConfigVisitor& v);
};

}  // namespace agro
