// Objectives for responses from elsewhere: stored, of another model, or in pairs.
#include "objective/agro_value.h"
#include "objective/astar_po.h"
#include "objective/asymmetric_reinforce.h"
#include "objective/copg.h"
#include "objective/dpo.h"
#include "objective/dro.h"
#include "objective/families.h"
#include "objective/gvpo.h"
#include "objective/importance_weighted.h"
#include "objective/ipo.h"
#include "objective/kto.h"
#include "objective/opmd.h"
#include "objective/rejection_sft.h"
#include "objective/topr.h"
#include "objective/trajectory_balance.h"

namespace agro::detail {
namespace {

using Config = ObjectiveConfig;
using Made = std::unique_ptr<Objective>;

Pairing pairing_of(const Config& config) {
  return config.pairing == "best_worst" ? Pairing::kBestWorst : Pairing::kGiven;
}

Made importance_weighted_from(const Config& config) {
  return make_importance_weighted({.beta = config.beta, .truncate = or_own(config.truncate, 1)});
}
Made topr_from(const Config& config) {
  return make_topr({.baseline = config.baseline, .truncate = or_own(config.truncate, 1)});
}
Made asymmetric_reinforce_from(const Config& config) {
  return make_asymmetric_reinforce({.baseline_shift = config.baseline_shift});
}
Made trajectory_balance_from(const Config& config) { return make_trajectory_balance({.beta = config.beta}); }
Made gvpo_from(const Config& config) { return make_gvpo({.beta = config.beta}); }
Made astar_po_from(const Config& config) { return make_astar_po({.beta = config.beta}); }
Made opmd_from(const Config& config) {
  return make_opmd({.beta = config.beta,
                    .partition = config.partition == "log_mean_exp" ? Partition::kLogMeanExp : Partition::kMean});
}
Made copg_from(const Config& config) { return make_copg({.beta = config.beta}); }
Made dro_from(const Config& config) {
  return make_dro({.beta = config.beta, .value_coefficient = or_own(config.value_coefficient, 1)});
}
Made agro_value_from(const Config& config) {
  return make_agro_value({.beta = config.beta,
                          .loss_scale = config.loss_scale == "none" ? LossScale::kNone : LossScale::kOneOverBeta,
                          .value_coefficient = or_own(config.value_coefficient, 1)});
}
Made dpo_from(const Config& config) {
  return make_dpo({.beta = config.beta, .label_smoothing = config.label_smoothing, .pairing = pairing_of(config)});
}
Made ipo_from(const Config& config) {
  return make_ipo({.beta = config.beta, .length_normalize = config.length_normalize, .pairing = pairing_of(config)});
}
Made kto_from(const Config& config) {
  return make_kto(
      {.beta = config.beta,
       .reward_threshold = config.reward_threshold,
       .desirable_weight = config.desirable_weight,
       .undesirable_weight = config.undesirable_weight,
       .reference_point = config.reference_point == "zero" ? ReferencePoint::kZero : ReferencePoint::kBatch});
}
Made rejection_sft_from(const Config& config) {
  return make_rejection_sft({.reward_threshold = config.reward_threshold, .length_normalize = config.length_normalize});
}

}  // namespace

std::vector<RegistryEntry> off_policy_family() {
  return {
      {"agro_value", {"loss_scale", "value_coefficient"}, agro_value_from},
      {"importance_weighted", {"truncate"}, importance_weighted_from},
      {"topr", {"baseline", "truncate"}, topr_from},
      {"asymmetric_reinforce", {"baseline_shift"}, asymmetric_reinforce_from},
      {"trajectory_balance", {}, trajectory_balance_from},
      {"gvpo", {}, gvpo_from},
      {"astar_po", {}, astar_po_from},
      {"opmd", {"partition"}, opmd_from},
      {"copg", {}, copg_from},
      {"dro", {"value_coefficient"}, dro_from},
      {"dpo", {"label_smoothing", "pairing"}, dpo_from},
      {"ipo", {"length_normalize", "pairing"}, ipo_from},
      {"kto", {"reward_threshold", "desirable_weight", "undesirable_weight", "reference_point"}, kto_from},
      {"rejection_sft", {"reward_threshold", "length_normalize"}, rejection_sft_from},
  };
}

}  // namespace agro::detail
