#pragma once
// The work one verification may do. Every loop whose length is not plainly linear in the input pays from it, so that
// no answer, however odd, takes long; what runs out ends in the verdict "not decided", never in a guess.
#include <cstdint>
#include <exception>
#include <string>

namespace agro {

/// Inside the verifier: the question at hand has no answer that is certain (work ran out, a value is undefined, a
/// construct is unknown). Caught where verdicts are made.
class Undecided : public std::exception {
 public:
  explicit Undecided(std::string why) : why_(std::move(why)) {}
  const char* what() const noexcept override { return why_.c_str(); }

 private:
  std::string why_;
};

/// One step is roughly 50 ns of work.
class Budget {
 public:
  static constexpr int64_t kReading = 45'000;     // of one answer
  static constexpr int64_t kComparison = 30'000;  // of two answers

  explicit Budget(int64_t steps = kComparison) : left_(steps), steps_(steps) {}

  /// Throws Undecided where more is asked for than is left; to be called before the work is done.
  void spend(int64_t steps) {
    if (steps > left_) {
      left_ = 0;
      throw Undecided("the answers are too large to compare");
    }
    left_ -= steps;
  }
  bool is_empty() const { return left_ == 0; }
  int64_t spent() const { return steps_ - left_; }

 private:
  int64_t left_;
  int64_t steps_;
};

}  // namespace agro
