#include "tensor/ops/token_logprob.h"

#include <cmath>

#include "tensor/ops/op_case_test.h"
#include "tensor/ops/vocabulary_cpu.h"

namespace agro {
namespace {

LinearWeight head_of(const Tensor& weight) {
  LinearWeight head;
  head.weight = weight;
  return head;
}

struct Shape {
  int64_t n, c, vocabulary;
};
// Vocabularies around the block (4096) and the panel (32), rows around the 8 of a task and the 1024 of a chunk.
const Shape kShapes[] = {{1, 1, 1},     {1, 5, 2},    {7, 8, 10},   {9, 33, 31},   {8, 16, 257}, {3, 17, 4095},
                         {5, 16, 4096}, {6, 8, 4097}, {2, 9, 8193}, {1023, 4, 10}, {1025, 3, 33}};

// Sums over the vocabulary, one product after the other.
constexpr double kGradientError = 1e-5;

TEST(TokenLogprobs, AgreeWithFloat64) {
  for (const Shape& s : kShapes) {
    for (const double temperature : {1.0, 0.7, 2.0}) {
      const Tensor targets = random_ids(s.n, s.vocabulary, 7);
      const auto with = [=](const auto& apply) {
        return [=](const std::vector<Tensor>& x) { return apply(x[0], head_of(x[1]), targets, temperature); };
      };
      check_op({fmt::format("[{}, {}] over {} at temperature {}", s.n, s.c, s.vocabulary, temperature),
                {random_tensor({s.n, s.c}, 1), random_tensor({s.vocabulary, s.c}, 2)},
                with(token_logprobs),
                with(token_logprobs_ref),
                1e-6,
                kGradientError});
    }
  }
}

// A frozen bfloat16 head still passes the gradient on to the hidden states.
TEST(TokenLogprobs, BFloat16HeadAgreesWithFloat64) {
  for (const Shape& s : kShapes) {
    const Tensor targets = random_ids(s.n, s.vocabulary, 7),
                 weight = random_tensor({s.vocabulary, s.c}, 2).to(torch::kBFloat16);
    const auto with = [=](const auto& apply) {
      return [=](const std::vector<Tensor>& x) { return apply(x[0], head_of(weight), targets, 1.0); };
    };
    check_op({fmt::format("[{}, {}] over {} in bfloat16", s.n, s.c, s.vocabulary),
              {random_tensor({s.n, s.c}, 1)},
              with(token_logprobs),
              with(token_logprobs_ref),
              1e-6,
              kGradientError});
  }
}

// The logits are those of the rounded inputs; the gradient's own products round once more, by at most 2⁻⁹ a factor.
TEST(TokenLogprobs, BFloat16ProductsAgreeWithFloat64OnRoundedInputs) {
  for (const Shape& s : kShapes) {
    SCOPED_TRACE(fmt::format("[{}, {}] over {}", s.n, s.c, s.vocabulary));
    const auto rounded = [](const Tensor& x) { return x.to(torch::kBFloat16).to(torch::kFloat); };
    const Tensor targets = random_ids(s.n, s.vocabulary, 7);
    const std::vector<Tensor> inputs{rounded(random_tensor({s.n, s.c}, 1)),
                                     rounded(random_tensor({s.vocabulary, s.c}, 2))};
    const OpResult exact =
        evaluate([&](const std::vector<Tensor>& x) { return token_logprobs_ref(x[0], head_of(x[1]), targets, 0.7); },
                 inputs, torch::kDouble);
    const auto found = [&] {
      return evaluate(
          [&](const std::vector<Tensor>& x) {
            LinearWeight head = head_of(x[1]);
            head.products = Products::kBFloat16;
            return token_logprobs(x[0], head, targets, 0.7);
          },
          inputs, torch::kFloat32);
    };
    on_every_instruction_set([&] {
      const OpResult two = found();
      EXPECT_LE(error_against(two.value, exact.value), 1e-6);
      for (size_t i = 0; i < 2; ++i) EXPECT_LE(error_against(two.gradients[i], exact.gradients[i]), 0x1p-8) << i;
      const ThreadsForTest threads(1);
      const OpResult one = found();
      expect_same_bits(one.value, two.value, "value with one thread");
      for (size_t i = 0; i < 2; ++i) expect_same_bits(one.gradients[i], two.gradients[i], "gradient with one thread");
    });
  }
}

/// Σ weights · log-probability and its gradients, one computation of the logits, with and without known ones.
TEST(WeightedTokenLogprobs, AgreeWithFloat64AndWithTheUnweighted) {
  for (const Shape& s : kShapes) {
    for (const double temperature : {1.0, 0.7}) {
      const Tensor targets = random_ids(s.n, s.vocabulary, 7), weights = random_tensor({s.n}, 9);
      const std::vector<Tensor> inputs{random_tensor({s.n, s.c}, 1), random_tensor({s.vocabulary, s.c}, 2)};
      for (const bool known : {false, true}) {
        const auto logprobs_of = [&](const std::vector<Tensor>& x) {
          const torch::NoGradGuard no_grad;
          return token_logprobs(x[0], head_of(x[1]), targets, temperature);
        };
        check_op({fmt::format("[{}, {}] over {} at temperature {}, {}", s.n, s.c, s.vocabulary, temperature,
                              known ? "known" : "unknown"),
                  inputs,
                  [&](const std::vector<Tensor>& x) {
                    const Tensor before = logprobs_of(x);
                    const WeightedLogprobs result = weighted_token_logprobs(x[0], head_of(x[1]), targets, weights,
                                                                            known ? before : Tensor(), temperature);
                    expect_same_bits(result.logprobs, before, "log-probability");
                    return result.sum;
                  },
                  [&](const std::vector<Tensor>& x) {
                    return weighted_token_logprobs_ref(x[0], head_of(x[1]), targets, weights, temperature).sum;
                  },
                  2e-5, kGradientError});
      }
    }
  }
}

// With so many tokens in the vocabulary, logits are computed twice rather than kept.
TEST(WeightedTokenLogprobs, ALargeVocabularyTakesTwoPasses) {
  constexpr int64_t kRows = 256, kColumns = 4, kVocabulary = 70'000;
  const Tensor targets = random_ids(kRows, kVocabulary, 7), weights = random_tensor({kRows}, 9);
  const auto result_of = [&](auto&& sum_of) {
    const Tensor hidden = random_tensor({kRows, kColumns}, 1).set_requires_grad(true);
    const LinearWeight head = head_of(random_tensor({kVocabulary, kColumns}, 2).set_requires_grad(true));
    const Tensor sum = sum_of(hidden, head);
    sum.backward();
    return std::vector<Tensor>{sum.detach(), hidden.grad(), head.weight.grad()};
  };
  Tensor logprobs;
  const auto expected = result_of([&](const Tensor& hidden, const LinearWeight& head) {
    logprobs = token_logprobs(hidden, head, targets);
    return (logprobs * weights).sum();
  });
  const auto found = result_of([&](const Tensor& hidden, const LinearWeight& head) {
    const WeightedLogprobs result = weighted_token_logprobs(hidden, head, targets, weights, Tensor());
    expect_same_bits(result.logprobs, logprobs.detach(), "log-probability");
    return result.sum;
  });
  EXPECT_LE(error_against(found[0], expected[0].to(torch::kDouble)), 1e-5);
  expect_same_bits(found[1], expected[1], "gradient of the hidden states");
  expect_same_bits(found[2], expected[2], "gradient of the head");
}

TEST(WeightedTokenLogprobs, BFloat16ProductsGiveTheGradientOfTheTwoPasses) {
  for (const Shape& s : kShapes) {
    SCOPED_TRACE(fmt::format("[{}, {}] over {}", s.n, s.c, s.vocabulary));
    const Tensor targets = random_ids(s.n, s.vocabulary, 7), weights = random_tensor({s.n}, 9);
    const auto gradients = [&](auto&& sum_of) {
      const Tensor hidden = random_tensor({s.n, s.c}, 1).set_requires_grad(true);
      LinearWeight head = head_of(random_tensor({s.vocabulary, s.c}, 2).set_requires_grad(true));
      head.products = Products::kBFloat16;
      sum_of(hidden, head).backward();
      return std::vector<Tensor>{hidden.grad(), head.weight.grad()};
    };
    const auto expected = gradients([&](const Tensor& hidden, const LinearWeight& head) {
      return (token_logprobs(hidden, head, targets) * weights).sum();
    });
    for (const bool known : {false, true}) {
      const auto found = gradients([&](const Tensor& hidden, const LinearWeight& head) {
        const Tensor before = known ? token_logprobs(hidden, head, targets).detach() : Tensor();
        return weighted_token_logprobs(hidden, head, targets, weights, before).sum;
      });
      // Slopes that differ in their last bit may round to another bfloat16.
      for (size_t i = 0; i < 2; ++i)
        EXPECT_LE(error_against(found[i], expected[i].to(torch::kDouble)), 0x1p-8) << known << i;
    }
  }
}

TEST(WeightedTokenLogprobs, AFrozenHeadStaysWithoutGradient) {
  const Tensor hidden = random_tensor({5, 8}, 1).set_requires_grad(true), targets = random_ids(5, 40, 7),
               weights = random_tensor({5}, 9);
  const LinearWeight head = head_of(random_tensor({40, 8}, 2));
  (2 * weighted_token_logprobs(hidden, head, targets, weights).sum).backward();
  EXPECT_FALSE(head.weight.grad().defined());
  const Tensor once = hidden.grad().clone();
  hidden.mutable_grad() = Tensor();
  (token_logprobs(hidden, head, targets) * weights * 2).sum().backward();
  EXPECT_LE(error_against(once, hidden.grad().to(torch::kDouble)), 1e-6);
}

TEST(TokenLogprobs, SumToOneOverTheVocabulary) {
  const Tensor hidden = random_tensor({1, 6}, 1, 30.0), weight = random_tensor({4100, 6}, 2);
  on_every_instruction_set([&] {
    const Tensor logprobs = token_logprobs(hidden.expand({4100, 6}), head_of(weight), torch::arange(4100));
    EXPECT_NEAR(logprobs.to(torch::kDouble).exp().sum().item<double>(), 1.0, 2e-5);
  });
}

TEST(TokenLogprobs, StayFiniteForHugeLogits) {
  const Tensor hidden = torch::full({2, 1}, 1e4F), weight = torch::tensor({-1.0F, 0.0F, 1.0F}).view({3, 1});
  on_every_instruction_set([&] {
    const Tensor logprobs = token_logprobs(hidden, head_of(weight), int64_tensor({2, 0}));
    EXPECT_EQ(logprobs[0].item<float>(), 0.0F);
    EXPECT_EQ(logprobs[1].item<float>(), -2e4F);
  });
}

TEST(TokenLogprobs, ARowAloneHasTheSameBitsAsInABatch) {
  const Tensor hidden = random_tensor({21, 19}, 1), targets = random_ids(21, 4100, 7);
  const LinearWeight head = head_of(random_tensor({4100, 19}, 2));
  on_every_instruction_set([&] {
    const Tensor batch = token_logprobs(hidden, head, targets);
    for (int64_t row = 0; row < 21; ++row)
      expect_same_bits(token_logprobs(hidden.narrow(0, row, 1), head, targets.narrow(0, row, 1)),
                       batch.narrow(0, row, 1), "log-probability");
  });
}

TEST(TokenLogprobs, ViewsAreReadAsTheyLook) {
  const Tensor hidden = random_tensor({6, 8}, 1).t(), targets = random_ids(16, 10, 7).view({8, 2}).select(1, 1),
               weight = random_tensor({6, 10}, 2).t();
  const auto gradients = [&](auto&& arrange) {
    const Tensor h = hidden.clone().set_requires_grad(true),
                 w = arrange(weight).clone(at::MemoryFormat::Preserve).set_requires_grad(true);
    const Tensor logprobs = token_logprobs(h, head_of(w), arrange(targets));
    logprobs.sum().backward();
    return std::vector<Tensor>{logprobs.detach(), h.grad(), w.grad()};
  };
  const auto views = gradients([](const Tensor&x) { return x; }),
             dense = gradients([](const Tensor&x) { return x.contiguous(); });
  for (size_t i = 0; i < views.size(); ++i) expect_same_bits(views[i], dense[i], "result");
}

TEST(TokenLogprobs, ReferenceAgreesWithCentralDifferences) {
  const Tensor targets = int64_tensor({4, 0, 2});
  check_central_differences(
      [&](const std::vector<Tensor>& x) { return token_logprobs_ref(x[0], head_of(x[1]), targets, 0.7); },
      {random_tensor({3, 4}, 1), random_tensor({5, 4}, 2)});
}

TEST(TokenLogprobs, BadInputIsNamed) {
  const Tensor hidden = torch::zeros({2, 3});
  const LinearWeight head = head_of(torch::zeros({5, 3}));
  EXPECT_EQ(error_of([&] {
              token_logprobs(hidden, head, int64_tensor({1, 5}));
            }),
            "token id 5 is outside the model's vocabulary of 5");
  EXPECT_EQ(error_of([&] {
              token_logprobs(hidden, head, int64_tensor({1, -1}));
            }),
            "token id -1 is outside the model's vocabulary of 5");
  EXPECT_EQ(error_of([&] {
              token_logprobs(torch::zeros({2, 4}), head, int64_tensor({1, 2}));
            }),
            "hidden states of the output head has shape [2, 4], expected [2, 3]");
}

TEST(LogSumExp, BlocksOfAnySizeGiveTheWhole) {
  const Tensor logits = random_tensor({9, 1000}, 1, 4.0);
  for (const double temperature : {1.0, 0.5}) {
    const Tensor exact = (logits.to(torch::kDouble) / temperature).logsumexp(-1);
    for (const int64_t block : {1, 13, 16, 1000}) {
      on_every_instruction_set([&] {
        std::vector<LogSumExp> state(9, kEmptyLogSumExp);
        for (int64_t first = 0; first < 1000; first += block)
          log_sum_exp_update(9, std::min<int64_t>(block, 1000 - first), read_pointer<float>(logits) + first, 1000,
                             static_cast<float>(temperature), state.data());
        for (size_t row = 0; row < 9; ++row)
          EXPECT_NEAR(static_cast<double>(state[row].max + std::log(state[row].sum)),
                      exact[static_cast<int64_t>(row)].item<double>(), 1e-5)
              << block;
      });
    }
  }
}

TEST(Probabilities, AgreeWithFloat64) {
  for (const int64_t n : {1, 15, 16, 17, 1009}) {
    const Tensor logits = random_tensor({n}, 1);
    const Tensor lse = logits.to(torch::kDouble).logsumexp(0);
    on_every_instruction_set([&] {
      Tensor out = torch::empty({n});
      probabilities(n, read_pointer<float>(logits), lse.item<float>(), write_pointer<float>(out));
      EXPECT_LE(error_against(out, logits.to(torch::kDouble).softmax(0)), 1e-6);
    });
  }
}

}  // namespace
}  // namespace agro
