#include "objective/config.h"

#include "objective/registry.h"

namespace agro {

void ObjectiveConfig::visit(ConfigVisitor& v) {
  v.field(
      "name", name, objective_names(),
      "agro: variance of the regularised reward within each group, for responses from anywhere. rloo: REINFORCE with "
      "a leave-one-out baseline, for fresh responses. kl_policy_gradient: the AGRO paper's comparison.");
  v.field("beta", beta, {.min = 0, .max = 1e6},
          "Strength of the KL to the reference, in units of reward per nat: the optimum moves the log-odds of two "
          "responses by (difference of their rewards) / beta. Stored responses want a larger one, such as 0.5.");
  v.field(
      "loss_scale", loss_scale, {"one_over_beta", "none"},
      "agro: optimise the consistency loss divided by beta, so that step sizes compare with policy gradients, or as "
      "it is.");
  v.field("form", form, {"variance", "surrogate"},
          "agro: report the variance or the policy-gradient surrogate as the loss; their gradients are equal.");
  v.field("through_sampling", through_sampling,
          "agro: also differentiate through the sampling. Only for responses drawn from the current policy.");
  v.field("credit", credit, {"sequence", "token"},
          "agro: one weight per response, or one per token. \"token\" only for responses of the current policy.");
  v.field("kl_estimator", kl_estimator, {"k3", "full_vocabulary"},
          "kl_policy_gradient: KL from the batch's tokens, or exact over the vocabulary at each position.");
  v.field("clip_epsilon", clip_epsilon, {.min = 0, .max = 0.999},
          "rloo: 0 for REINFORCE, above 0 to clip the ratio of whole responses to [1 - eps, 1 + eps].");
}

}  // namespace agro
