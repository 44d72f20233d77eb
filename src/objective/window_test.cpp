#include "objective/window.h"

#include "objective/registry.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

std::unique_ptr<Objective> objective(const ObjectiveConfig& config = {}) { return make_objective(config); }

/// The rows of a golden matrix without their masked tokens.
Json unpadded(const Json& matrix, const Json& mask) {
  Json rows = Json::array();
  for (size_t i = 0; i < mask.size(); ++i) {
    rows.push_back(Json::array());
    for (size_t t = 0; t < mask[i].size(); ++t)
      if (mask[i][t] == 1.0) rows.back().push_back(matrix[i][t]);
  }
  return rows;
}

TEST(Window, EvaluatesTheGoldenCasesPerToken) {
  for (const Json& item : golden_cases("agro")) {
    const Json &inputs = item["inputs"], &mask = inputs["mask"];
    Json record = {{"rewards", inputs["rewards"]},
                   {"logprobs", unpadded(inputs["logp"], mask)},
                   {"ref_logprobs", unpadded(inputs["ref_logp"], mask)},
                   {"values", nullptr}};
    for (size_t i = 0; i < mask.size(); ++i)
      record["groups"].push_back(
          i / inputs["n"].get<size_t>() == 0 ? Json("first") : Json(77 - static_cast<int>(i) / inputs["n"].get<int>()));
    const double beta = item["params"]["beta"];
    const OrderedJson none = evaluate_record(*objective({.beta = beta, .loss_scale = "none"}), record);
    EXPECT_NEAR(none["loss"].get<double>(), item["outputs"]["variance_loss"].get<double>(), 1e-10);
    const Json expected = unpadded(item["outputs"]["grad_logp_variance"], mask);
    ASSERT_EQ(none["grad"].size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(none["grad"][i].size(), expected[i].size());
      for (size_t t = 0; t < expected[i].size(); ++t)
        EXPECT_NEAR(none["grad"][i][t].get<double>(), expected[i][t].get<double>(), 1e-10);
    }
    const OrderedJson divided = evaluate_record(*objective({.beta = beta}), record);
    EXPECT_NEAR(divided["loss"].get<double>() * beta, none["loss"].get<double>(), 1e-10);
    EXPECT_TRUE(divided["metrics"]["reward_mean"].is_number());
  }
}

TEST(Window, TakesOneNumberPerResponseAndGroupsInAnyOrder) {
  const Json record = Json::parse(R"({"rewards": [1, 0, 3, 0], "groups": [9, "1", 9, "1"],
                                      "logprobs": [-1, -2, -3, -4], "ref_logprobs": [-1, -2, -3, -4]})");
  const OrderedJson result = evaluate_record(*objective({.beta = 0.5, .loss_scale = "none"}), record);
  // Groups {1, 3} and {0, 0}: (¼·2² + 0)/2, and dL/dlogπ = ∓β (R_i - R̄)/(n-1)/G.
  EXPECT_DOUBLE_EQ(result["loss"].get<double>(), 0.5);
  EXPECT_EQ(result["grad"], OrderedJson({0.25, 0.0, -0.25, 0.0}));
}

TEST(Window, IntegersAndStringsAreDifferentGroups) {
  const Json record =
      Json::parse(R"({"rewards": [1, 0], "groups": [1, "1"], "logprobs": [-1, -2], "ref_logprobs": [-1, -2]})");
  EXPECT_NE(message_of([&] { evaluate_record(*objective(), record); }).find("response 0 is alone in its group"),
            std::string::npos);
}

TEST(Window, BehaviorDecidesWhatIsOnPolicy) {
  Json record =
      Json::parse(R"({"rewards": [1, 0], "groups": [0, 0], "logprobs": [-1, -2], "ref_logprobs": [-1, -1.5]})");
  const auto through = objective({.through_sampling = true});
  EXPECT_TRUE(evaluate_record(*through, record)["metrics"].contains("optimality_gap"));
  record["behavior_logprobs"] = record["logprobs"];
  EXPECT_EQ(message_of([&] { evaluate_record(*through, record); }), "");
  record["behavior_logprobs"][1] = -2.01;
  EXPECT_NE(message_of([&] { evaluate_record(*through, record); }).find("1 of 2 are not (response 1 first)"),
            std::string::npos);
  EXPECT_FALSE(evaluate_record(*objective(), record)["metrics"].contains("optimality_gap"));
}

TEST(Window, NamesTheKeyAndIndexOfBadInput) {
  const Json good = Json::parse(
      R"({"rewards": [1, 0], "groups": [0, 0], "logprobs": [[-1], [-2, -3]], "ref_logprobs": [[-1], [-2, -3]]})");
  EXPECT_EQ(message_of([&] { evaluate_record(*objective(), good); }), "");
  const std::vector<std::tuple<const char*, const char*, const char*>> cases = {
      {"rewards", "[1, null]", "\"rewards\": expected a finite number at index 1, found null"},
      {"rewards", "[]", "\"rewards\" is empty"},
      {"rewards", "[1, 2, 3]", "\"logprobs\" has 2 entries, but there are 3 rewards"},
      {"groups", "[0]", "\"groups\" has 1 entries"},
      {"groups", "[0, 0.5]", "\"groups\": expected an integer or a string at index 1"},
      {"logprobs", "[[-1], -2]", "mixes numbers and arrays"},
      {"logprobs", "[[-1], [\"a\", -3]]", "\"logprobs\": expected a finite number at index 1"},
      {"logprobs", "[[[-1]], [-2, -3]]", "\"logprobs\": expected a finite number at index 0, found [-1]"},
      {"ref_logprobs", "[-1, -2]", "one is per token, the other per response"},
      {"ref_logprobs", "[[-1], [-2]]", "\"ref_logprobs\" has 1 tokens at index 1, but \"logprobs\" has 2"},
      {"behavior_logprobs", "3", "\"behavior_logprobs\": expected an array"},
      {"behaviour_logprobs", "[]", "unknown key \"behaviour_logprobs\""}};
  for (const auto& [key, value, expected] : cases) {
    Json record = good;
    record[key] = Json::parse(value);
    const std::string message = message_of([&] { evaluate_record(*objective(), record); });
    EXPECT_NE(message.find(expected), std::string::npos) << "expected '" << expected << "' in '" << message << "'";
  }
  EXPECT_NE(message_of([] { evaluate_record(*objective(), Json::array()); }).find("JSON object"), std::string::npos);
}

TEST(Window, NeverWritesAnInfinity) {
  const Json record =
      Json::parse(R"({"rewards": [1, 0], "groups": [0, 0], "logprobs": [-1, -900], "ref_logprobs": [-1, -2]})");
  EXPECT_NE(message_of([&] { evaluate_record(*objective({.name = "kl_policy_gradient"}), record); }).find("overflows"),
            std::string::npos);
}

TEST(Window, GivesValuesTheirGradient) {
  const Json record = Json::parse(R"({"rewards": [1, 0], "groups": ["a", "b"], "logprobs": [[-1, -2], [-3]],
    "ref_logprobs": [[-1, -2], [-3]], "behavior_logprobs": [[-1, -2], [-3]], "values": [[0.5, 0.25], [0.125]],
    "old_values": null})");
  const OrderedJson result =
      evaluate_record(*objective({.name = "ppo", .lambda = 1, .value_coefficient = 3, .value_clip = 0}), record);
  // Returns are 1, 1 and 0; d/dV of 3 · ½ mean (V - G)².
  EXPECT_EQ(result["grad_values"], OrderedJson({{-0.5, -0.75}, {0.125}}));
  EXPECT_EQ(result["grad"].size(), 2u);
  EXPECT_FALSE(evaluate_record(*objective({.name = "reinforce_pp"}), record).contains("grad_values"));
}

TEST(Window, ReadsPairsAndOptimalValues) {
  Json record = Json::parse(R"({"rewards": [1, 0, 0, 1], "groups": ["b", "b", "a", "a"],
    "logprobs": [-1, -2, -3, -4], "ref_logprobs": [-1, -2, -3, -4], "pairs": [[0, 1], [3, 2]],
    "optimal_values": [0.5, 0.25]})");
  EXPECT_EQ(message_of([&] { evaluate_record(*objective(), record); }), "");
  const std::vector<std::tuple<const char*, const char*, const char*>> cases = {
      {"pairs", "[[0, 1], [2]]",
       "\"pairs\": expected [chosen, rejected] as two response numbers at index 1, found [2]"},
      {"pairs", "[[0, 1.5]]", "at index 0, found [0,1.5]"},
      {"pairs", "[[0, 2]]", "pairs[0] = (0, 2) pairs responses of different prompts"},
      {"pairs", "[[0, 4]]", "within 0 … 3"},
      {"pairs", "7", "\"pairs\": expected an array"},
      {"optimal_values", "[1]", "optimal_values must be a vector of 2 values"},
      {"optimal_values", "[1, null]", "\"optimal_values\": expected a finite number at index 1"},
      {"values", "[1, 2]", "\"values\" has 2 entries, but there are 4 rewards"}};
  for (const auto& [key, value, expected] : cases) {
    Json bad = record;
    bad[key] = Json::parse(value);
    const std::string message = message_of([&] { evaluate_record(*objective(), bad); });
    EXPECT_NE(message.find(expected), std::string::npos) << "expected '" << expected << "' in '" << message << "'";
  }
}

}  // namespace
}  // namespace agro
