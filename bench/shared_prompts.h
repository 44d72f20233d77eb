#pragma once
// Training on groups whose prompt is computed once, beside the same model with a prompt for every response.
#include <string>

namespace agro {

/// Forward and backward pass of each shape, both ways in turns; checks first that their losses agree. Every line names
/// the ratio of the packed tokens: what a step would gain whose time were proportional to them.
std::string compare_shared_prompts(int rounds);

}  // namespace agro
