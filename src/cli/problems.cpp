#include <CLI/App.hpp>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "core/error.h"
#include "core/file.h"
#include "data/problems/problem_set.h"

namespace agro {
namespace {

struct Options {
  ProblemSetOptions set;
  std::string split = "train", output;
  std::vector<std::string> workings;
};

/// "steps=3", or "steps" for a share of 1.
WorkingShare parse_share(const std::string& text) {
  const size_t equals = text.find('=');
  const SolutionStyle style = solution_style_named(text.substr(0, equals));
  if (equals == std::string::npos) return {style, 1};
  const std::string share = text.substr(equals + 1);
  if (share.empty() || share.size() > 6 || share.find_first_not_of("0123456789") != std::string::npos ||
      std::stoi(share) == 0)
    throw fail("--working '{}': expected a whole number above 0 after '='", text);
  return {style, std::stoi(share)};
}

void run(Options& options) {
  options.set.split = options.split == "train"       ? ProblemSplit::kTrain
                      : options.split == "selection" ? ProblemSplit::kSelection
                                                     : ProblemSplit::kTest;
  if (!options.workings.empty()) options.set.workings.clear();
  for (const std::string& text : options.workings) options.set.workings.push_back(parse_share(text));
  const std::vector<PracticeProblem> problems = make_problems(options.set);
  const auto write = [&](std::ostream& out) {
    for (size_t i = 0; i < problems.size(); ++i)
      out << to_line(problem_record(problems[i], fmt::format("{}-{}-{}", options.split, options.set.seed, i + 1)))
          << '\n';
  };
  if (options.output.empty())
    write(std::cout);
  else
    write_atomically(options.output, write);
}

}  // namespace

void add_problems(CLI::App& program) {
  CLI::App* command = program.add_subcommand("problems", "Makes practice problems with exact answers and working.")
                          ->group("Models and data");
  const auto options = std::make_shared<Options>();
  ProblemSetOptions& set = options->set;
  command->add_option("-o,--output", options->output, "JSONL file; standard output where it is not given.");
  command->add_option("--kind", set.kinds, "Kinds of problems.")
      ->check(CLI::IsMember(problem_kinds()))
      ->capture_default_str();
  command->add_option("--min-level", set.min_level, "Fewest steps to the answer.")->capture_default_str();
  command->add_option("--max-level", set.max_level, "Most steps to the answer; 12 at most, of countdown 5.")
      ->capture_default_str()
      ->check(CLI::Range(1, 12));
  command->add_option("--count", set.count, "Number of problems.")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000000));
  command->add_option("--split", options->split, "Which part of all problems: no calculation is in two of them.")
      ->capture_default_str()
      ->check(CLI::IsMember({"train", "selection", "test"}));
  command->add_option("--seed", set.seed, "Equal seeds give equal problems.")->capture_default_str();
  command->add_option(
      "--working", options->workings,
      "Manners of the written working of arithmetic and word problems with their shares: terse, steps, sentences, "
      "digits. Default: steps.");
  command->footer(
      R"(Each line: {"id", "kind", "level", "prompt", "answer", "completion"}; the completion is the working and "#### answer".
Whole answers suit --reward gsm8k; fractions (kinds fraction and, from level 4, equation) want strict or lenient, and
countdown, whose answer is an expression, wants countdown.

Examples:
  agro problems --kind word --min-level 2 --max-level 4 --count 1000 -o train.jsonl
  agro problems --split test --count 500 --seed 7 -o test.jsonl
  agro problems --kind equation fraction --max-level 5 --count 5000 -o algebra.jsonl
  agro problems --kind countdown --min-level 2 --max-level 3 --count 5000 -o countdown.jsonl
  agro problems --count 20000 --working terse=2 steps=1 -o sft.jsonl)");
  command->callback([options] { run(*options); });
}

}  // namespace agro
