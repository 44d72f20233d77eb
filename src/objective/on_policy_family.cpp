// Objectives for responses of the current or a recent policy, and the comparison that drops that condition.
#include "core/error.h"
#include "objective/cispo.h"
#include "objective/families.h"
#include "objective/grpo.h"
#include "objective/gspo.h"
#include "objective/kl_policy_gradient.h"
#include "objective/ppo.h"
#include "objective/reinforce.h"
#include "objective/reinforce_pp.h"
#include "objective/rloo.h"

namespace agro::detail {
namespace {

/// clip_epsilon stands for both halves; a half that is left open takes it, or else the objective's own.
ClipRange clip_of(const ObjectiveConfig& config, const ClipRange& own) {
  const bool symmetric = config.clip_epsilon != kOwnDefault;
  if (symmetric && (config.clip_low != kOwnDefault || config.clip_high != kOwnDefault))
    throw Error("clip_epsilon sets both halves of the clip, and clip_low or clip_high is set as well")
        .hint("give clip_epsilon alone, or clip_low and clip_high");
  return {.low = or_own(config.clip_low, symmetric ? config.clip_epsilon : own.low),
          .high = or_own(config.clip_high, symmetric ? config.clip_epsilon : own.high)};
}

Standardize standardize_of(const ObjectiveConfig& config, Standardize own) {
  if (config.standardize == "own") return own;
  if (config.standardize == "none") return Standardize::kNone;
  return config.standardize == "group" ? Standardize::kGroup : Standardize::kBatch;
}

std::unique_ptr<Objective> reinforce_from(const ObjectiveConfig& config) {
  return make_reinforce({.beta = config.beta,
                         .kl_estimator = kl_estimator_of(config),
                         .standardize = standardize_of(config, Standardize::kNone)});
}

std::unique_ptr<Objective> rloo_from(const ObjectiveConfig& config) {
  return make_rloo({.beta = config.beta, .clip_epsilon = or_own(config.clip_epsilon, 0)});
}

std::unique_ptr<Objective> ppo_from(const ObjectiveConfig& config) {
  const Standardize standardize = standardize_of(config, Standardize::kBatch);
  if (standardize == Standardize::kGroup)
    throw Error("standardize = \"group\" does not apply: the advantages are per token and come from the value head")
        .hint("\"batch\" and \"none\" are valid for ppo, \"group\" for grpo, gspo, cispo and reinforce");
  const PpoOptions own;
  return make_ppo({.beta = config.beta,
                   .clip = clip_of(config, own.clip),
                   .gamma = config.gamma,
                   .lambda = config.lambda,
                   .value_coefficient = or_own(config.value_coefficient, own.value_coefficient),
                   .value_clip = config.value_clip,
                   .whiten_advantages = standardize == Standardize::kBatch});
}

std::unique_ptr<Objective> grpo_from(const ObjectiveConfig& config) {
  const bool dr_grpo = config.normalization == "dr_grpo", dapo = config.normalization == "dapo";
  if (config.normalization_length > 0 && !dr_grpo)
    throw fail("normalization = \"{}\" does not read normalization_length", config.normalization)
        .hint("it is for normalization = \"dr_grpo\"");
  const ClipRange own = dapo ? ClipRange{.low = 0.2, .high = 0.28} : ClipRange{};
  return make_grpo({.beta = config.beta,
                    .kl_estimator = kl_estimator_of(config),
                    .clip = clip_of(config, own),
                    .standardize = standardize_of(config, dr_grpo ? Standardize::kNone : Standardize::kGroup),
                    .normalization = dr_grpo                          ? Normalization::kConstantLength
                                     : config.normalization == "grpo" ? Normalization::kResponseLength
                                                                      : Normalization::kTokenCount,
                    .constant_length = config.normalization_length});
}

std::unique_ptr<Objective> gspo_from(const ObjectiveConfig& config) {
  return make_gspo({.beta = config.beta,
                    .kl_estimator = kl_estimator_of(config),
                    .clip = clip_of(config, GspoOptions{}.clip),
                    .standardize = standardize_of(config, Standardize::kGroup)});
}

std::unique_ptr<Objective> cispo_from(const ObjectiveConfig& config) {
  return make_cispo({.beta = config.beta,
                     .kl_estimator = kl_estimator_of(config),
                     .truncate = or_own(config.truncate, CispoOptions{}.truncate),
                     .standardize = standardize_of(config, Standardize::kGroup)});
}

std::unique_ptr<Objective> reinforce_pp_from(const ObjectiveConfig& config) {
  return make_reinforce_pp(
      {.beta = config.beta, .clip = clip_of(config, ReinforcePpOptions{}.clip), .gamma = config.gamma});
}

std::unique_ptr<Objective> kl_policy_gradient_from(const ObjectiveConfig& config) {
  return make_kl_policy_gradient({.beta = config.beta, .kl_estimator = kl_estimator_of(config)});
}

}  // namespace

std::vector<RegistryEntry> on_policy_family() {
  return {
      {"kl_policy_gradient", {"kl_estimator"}, kl_policy_gradient_from},
      {"reinforce", {"kl_estimator", "standardize"}, reinforce_from},
      {"rloo", {"clip_epsilon"}, rloo_from},
      {"ppo",
       {"clip_epsilon", "clip_low", "clip_high", "gamma", "lambda", "value_coefficient", "value_clip", "standardize"},
       ppo_from},
      {"grpo",
       {"kl_estimator", "clip_epsilon", "clip_low", "clip_high", "standardize", "normalization",
        "normalization_length"},
       grpo_from},
      {"gspo", {"kl_estimator", "clip_epsilon", "clip_low", "clip_high", "standardize"}, gspo_from},
      {"cispo", {"kl_estimator", "truncate", "standardize"}, cispo_from},
      {"reinforce_pp", {"clip_epsilon", "clip_low", "clip_high", "gamma"}, reinforce_pp_from},
  };
}

}  // namespace agro::detail
