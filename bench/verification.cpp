// agro_verify_bench: verifications per second on one core, and the time of the slowest hostile answers.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "reward/verify.h"

namespace {

struct Pair {
  std::string gold, pred;
};

std::vector<Pair> solutions() {
  std::vector<Pair> pairs;
  for (int i = 0; i < 64; ++i) {
    const std::string answer = std::to_string(17 * i + 3), found = i % 4 == 0 ? std::to_string(i) : answer;
    pairs.push_back(
        {"Natalia sold 48/2 = <<48/2=24>>24 clips in May. In both months she sold " + answer + ".\n#### " + answer,
         "First we count the clips of April, 48 of them, and then those of May: half of 48 is 24.\n"
         "Adding both gives what she sold altogether, which is " +
             found + " clips.\n#### " + found});
  }
  return pairs;
}

std::vector<Pair> formulas() {
  return {{"\\frac{1}{2}", "The answer is $\\boxed{\\dfrac{1}{2}}$."},
          {"\\frac{3\\sqrt{2}}{4}", "so that $a = \\boxed{\\frac{3}{2\\sqrt{2}}}$"},
          {"x^2+2x+1", "\\boxed{(x+1)^2}"},
          {"\\left( 3, \\frac{\\pi}{2} \\right)", "\\boxed{(3, \\frac{\\pi}{2})}"},
          {"(-\\infty, 2) \\cup (3, \\infty)", "The solution is \\boxed{(-\\infty,2)\\cup(3,\\infty)}"},
          {"10\\sqrt{3}+6", "Hence the area is $\\boxed{6+10\\sqrt3}$."},
          {"72", "\\boxed{71}"},
          {"y = 2x+3", "\\boxed{2x-y+3=0}"},
          {"\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "\\boxed{\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}}"},
          {"-\\frac{7}{3}", "\\boxed{-\\frac{7}{4}}"},
          {"90^\\circ", "\\boxed{90^{\\circ}}"},
          {"1,2,3", "\\boxed{1,2,3}"},
          {"\\text{Thursday}", "\\boxed{\\text{Thursday}}"},
          {"\\frac{\\sqrt{5}-1}{2}", "\\boxed{\\frac{-1+\\sqrt5}{2}}"},
          {"2^{10} - 1", "\\boxed{1023}"},
          {"\\sin^2 x", "\\boxed{1-\\cos^2 x}"}};
}

void run(benchmark::State& state, std::string_view policy, const std::vector<Pair>& pairs) {
  const agro::Verifier verifier = agro::find_verifier(policy);
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(verifier(pairs[next].gold, pairs[next].pred, {}));
    next = (next + 1) % pairs.size();
  }
  state.SetItemsProcessed(state.iterations());
}

std::string repeated(std::string_view part) {
  std::string text;
  while (text.size() + part.size() <= 10'000) text += part;
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<Pair> gsm8k = solutions(), latex = formulas();
  for (const std::string& policy : agro::verifier_names()) {
    benchmark::RegisterBenchmark(("gsm8k/" + policy).c_str(), [&, policy](auto& state) { run(state, policy, gsm8k); });
    benchmark::RegisterBenchmark(("latex/" + policy).c_str(), [&, policy](auto& state) { run(state, policy, latex); });
  }
  constexpr std::array<std::string_view, 26> kHostile = {
      "x+",      "1/7+",         "9",
      "(x+1)^9", "\\sqrt{x+1}+", "\\sin x+",
      "e^{x}+",  "\\boxed{",     "\\text{",
      "$",       "answer is ",   "(x+y)",
      "\\pm 1,", "\\{1,2\\},",   "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
      "[1,2)U",  "x!+",          "\\binom{9}{4}+",
      "x<",      "a ",           "\\sqrt{2},",
      "²",       "(1,2),",       "1000!+",
      "(",       "abc "};
  for (const std::string_view part : kHostile) {
    const std::string text = repeated(part);
    const std::vector<Pair> pairs = {{text + "1", text + "2"}, {"\\frac{1}{2}", text}, {text, "x+\\sqrt{2}"}};
    for (const char* policy : {"strict", "lenient", "math_verify"})
      for (size_t i = 0; i < pairs.size(); ++i)
        benchmark::RegisterBenchmark(("hostile/" + std::string(part) + "/" + policy + "/" + std::to_string(i)).c_str(),
                                     [policy, pair = pairs[i]](auto& state) { run(state, policy, {pair}); })
            ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
