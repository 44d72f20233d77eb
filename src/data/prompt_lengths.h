#pragma once
// The prompts of a file that a model has no room for: counted while they are encoded, and reported once, so that one
// overlong prompt does not end a run.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/tokens.h"

namespace agro {

class PromptLengths {
 public:
  /// `positions` are the model's; `file` is what messages call the place of the prompts.
  PromptLengths(std::string file, int64_t positions) : file_(std::move(file)), positions_(positions) {}

  /// Whether the prompt leaves room for a response; counts it either way. It may take all positions: the last token of
  /// a response is never fed back and needs none.
  bool fits(const TokenIds& prompt);

  int64_t too_long() const { return too_long_; }

  /// One line for people, empty where all prompts fit; `outcome` says what becomes of the others: "2 of 40 prompts of
  /// FILE are OUTCOME: …".
  std::string describe(std::string_view outcome) const;

  /// Throws Error naming the file where there were prompts and none of them fits.
  void require_one_that_fits() const;

  /// When all prompts are counted: that error, or a warning of describe(outcome) where some do not fit.
  void report(std::string_view outcome) const;

 private:
  std::string file_;
  int64_t positions_;
  int64_t prompts_ = 0, too_long_ = 0, longest_ = 0;  // longest: tokens
};

}  // namespace agro
