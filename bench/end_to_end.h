#pragma once
// Whole training steps and whole sampling runs beside plain LibTorch.
#include <string>

namespace agro {

/// Measures a 0.84M-parameter Llama, 64 sequences of 64 tokens, and returns the table. Throws Error where the two do
/// not compute the same: loss within 1e-4 relative over several updates, log-probs of sampled tokens within 1e-4.
std::string compare_end_to_end(int rounds);

}  // namespace agro
