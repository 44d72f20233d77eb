#pragma once
// The [objective] section of a configuration.
#include <string>

#include "core/config.h"

namespace agro {

struct ObjectiveConfig {
  std::string name = "agro";
  double beta = 0.1;
  std::string loss_scale = "one_over_beta";
  std::string form = "variance";
  bool through_sampling = false;
  std::string credit = "sequence";
  std::string kl_estimator = "k3";
  double clip_epsilon = 0;

  void visit(ConfigVisitor& v);
};

}  // namespace agro
