#include "objective/config.h"

#include "objective/registry.h"

namespace agro {

void ObjectiveConfig::visit(ConfigVisitor& v) {
  v.field(
      "name", name, objective_names(),
      "agro: variance of the regularised reward within each group, for responses from anywhere. kl_policy_gradient: "
      "the AGRO paper's comparison. On-policy family, for fresh responses: reinforce, rloo, ppo, grpo, gspo, cispo, "
      "reinforce_pp. For responses from elsewhere: agro_value, importance_weighted, topr, asymmetric_reinforce, "
      "trajectory_balance, gvpo, astar_po, opmd, copg, dro, dpo, ipo, kto, rejection_sft. docs/objectives.md tells all "
      "of them apart.");
  v.field("beta", beta, {.min = 0, .max = 1e6},
          "Strength of the KL to the reference, in units of reward per nat: the optimum moves the log-odds of two "
          "responses by (difference of their rewards) / beta. Stored responses want a larger one, such as 0.5.");
  v.field("loss_scale", loss_scale, {"one_over_beta", "none"},
          "agro, agro_value: optimise the consistency loss divided by beta, so that step sizes compare with policy "
          "gradients, or as it is.");
  v.field("form", form, {"variance", "surrogate"},
          "agro: report the variance or the policy-gradient surrogate as the loss; their gradients are equal.");
  v.field(
      "through_sampling", through_sampling,
      "agro: also differentiate through the sampling. Only for responses drawn from the current policy. Its gradient "
      "vanishes at the optimum, but elsewhere too: where a prompt's best reward lies more than about 2 beta above "
      "its mean, the policy collapses instead.");
  v.field("credit", credit, {"sequence", "token"},
          "agro: one weight per response, or one per token. \"token\" only for responses of the current policy.");
  v.field("kl_estimator", kl_estimator, {"k1", "k2", "k3", "full_vocabulary"},
          "kl_policy_gradient, reinforce, grpo, gspo, cispo: KL in the loss, from the batch's tokens or exact over the "
          "vocabulary at each position. k1 has no gradient in expectation, k2 the KL's own.");
  v.field("clip_epsilon", clip_epsilon, {.min = kOwnDefault, .max = 0.999},
          "Clips the ratio to the behaviour policy to [1 - eps, 1 + eps]; -1: the objective's own. rloo: of whole "
          "responses (own: 0, plain REINFORCE). ppo, grpo, reinforce_pp: of tokens (own: 0.2). gspo: of a response's "
          "geometric mean over tokens.");
  v.field("clip_low", clip_low, {.min = kOwnDefault, .max = 0.999},
          "ppo, grpo, gspo, reinforce_pp: the lower half of clip_epsilon where the two differ; -1: clip_epsilon, or "
          "the objective's own (gspo: 0.0003).");
  v.field("clip_high", clip_high, {.min = kOwnDefault, .max = 1e6},
          "ppo, grpo, gspo, reinforce_pp: the upper half; -1: clip_epsilon, or the objective's own (gspo: 0.0004; grpo "
          "with normalization = \"dapo\": 0.28).");
  v.field("truncate", truncate, {.min = kOwnDefault, .max = 1e6},
          "Largest importance weight; -1: the objective's own. cispo: of a token (own: 5). "
          "importance_weighted: of a response (own: 1). topr: of a response below the baseline (own: 1).");
  v.field("standardize", standardize, {"own", "none", "group", "batch"},
          "Divide the advantages by their standard deviation over each prompt's responses or over the batch. reinforce "
          "(own: none); grpo (own: group; with normalization = \"dr_grpo\" none), gspo, cispo (own: group); ppo (own: "
          "batch, which also centres them; not group).");
  v.field("normalization", normalization, {"grpo", "bnpo", "dapo", "dr_grpo"},
          "grpo: what a token's loss is divided by, in TRL's names. grpo: the length of its response. bnpo, dapo: the "
          "number of tokens in the batch; dapo also clips higher. dr_grpo: normalization_length.");
  v.field(
      "normalization_length", normalization_length, {.min = 0, .max = 1e9},
      "grpo with normalization = \"dr_grpo\": the constant length, such as the longest response that is generated.");
  v.field("gamma", gamma, {.min = 0, .max = 1}, "ppo, reinforce_pp: discount per token.");
  v.field("lambda", lambda, {.min = 0, .max = 1}, "ppo: of generalised advantage estimation.");
  v.field("value_coefficient", value_coefficient, {.min = kOwnDefault, .max = 1e6},
          "Weight of the value head's loss; -1: the objective's own. ppo (own: 0.1). dro, agro_value (own: 1).");
  v.field("value_clip", value_clip, {.min = 0, .max = 1e6},
          "ppo: how far a value may move from that of sampling time; 0: anywhere.");
  v.field("baseline", baseline, {.min = -1e6, .max = 1e6},
          "topr: subtracted from every reward. 0.5 for rewards of 0 and 1, 0 for rewards of -1 and 1.");
  v.field("baseline_shift", baseline_shift, {.min = -1e6, .max = 1e6},
          "asymmetric_reinforce: added to the group's mean reward to make the baseline. Below 0: good responses count "
          "more than bad ones; at 0 and above the policy collapses on stored responses.");
  v.field("partition", partition, {"mean", "log_mean_exp"},
          "opmd: what stands for beta log Z: the group's mean reward, or beta log mean exp(reward / beta).");
  v.field("pairing", pairing, {"given", "best_worst"},
          "dpo, ipo: take the pairs that come with the data, or form them from rewards, each prompt's highest against "
          "its lowest.");
  v.field("label_smoothing", label_smoothing, {.min = 0, .max = 0.499},
          "dpo: share of preferences that are assumed to be wrong.");
  v.field("length_normalize", length_normalize,
          "ipo, rejection_sft: average a response's log-probabilities over its tokens instead of summing them. A "
          "different objective from the papers'.");
  v.field("reward_threshold", reward_threshold, {.min = -1e6, .max = 1e6},
          "kto, rejection_sft: a response is good if its reward exceeds this.");
  v.field("desirable_weight", desirable_weight, {.min = 0, .max = 1e6}, "kto: weight of good responses.");
  v.field("undesirable_weight", undesirable_weight, {.min = 0, .max = 1e6}, "kto: weight of bad responses.");
  v.field("reference_point", reference_point, {"batch", "zero"},
          "kto: the log-ratio that counts as neutral: the batch's mean where positive, or 0.");
}

}  // namespace agro
