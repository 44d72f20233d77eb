#pragma once
// A group: the responses of one prompt from any mix of sources, the unit of every objective (spec agro.md §3).
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/tokens.h"

namespace agro {

struct Response {
  TokenIds ids;                      // response tokens, the end token included where one was produced
  std::string text;                  // without the end token
  double reward = 0;                 // weighted sum of the parts
  std::vector<double> reward_parts;  // one per configured reward, in their order; empty for rewards read from a file
  bool finished = true;              // false: cut at the length limit
  std::string source = "fresh";      // "fresh", or what a file of stored responses says
  int64_t policy_version = 0;        // optimiser steps the sampling policy had behind it; 0 for stored responses
  std::optional<double> behavior_logprob;  // natural log, summed, under the untempered model that drew it
  std::vector<float> behavior_logprobs;    // the same by token of ids; empty where unknown
};

struct Group {
  size_t prompt_index = 0;  // into the run's prompts
  TokenIds prompt_ids;
  std::vector<Response> responses;
};

}  // namespace agro
