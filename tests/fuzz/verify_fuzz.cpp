// libFuzzer's entry: "gold\0pred" (or one text as both) under every policy. Verdicts must come without exception; equal
// texts must be equal, and strict and lenient symmetric.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "reward/verify.h"

namespace {

void require(bool condition, std::string_view policy, std::string_view what) {
  if (condition) return;
  std::cerr << policy << ": " << what << std::endl;
  std::abort();
}

/// A gold text without an answer is left open, a prediction without one is wrong.
bool lacks_answer(const agro::Verdict& verdict) { return !verdict.equal && !verdict.undecided; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = input.find('\0');
  const std::string_view gold = input.substr(0, cut);
  const std::string_view pred = cut == std::string_view::npos ? gold : input.substr(cut + 1);
  for (const std::string& policy : agro::verifier_names()) {
    const agro::Verdict verdict = agro::verify(policy, gold, pred);
    if (policy != "strict" && policy != "lenient") continue;
    const agro::Verdict swapped = agro::verify(policy, pred, gold);
    require(lacks_answer(verdict) || lacks_answer(swapped) || swapped.equal == verdict.equal, policy, "not symmetric");
    require(agro::verify(policy, gold, gold).equal != false, policy, "not reflexive");
  }
  return 0;
}
