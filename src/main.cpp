// The program: its subcommands, and one place where every error becomes a message and an exit code.
//   0 success   1 the command failed   2 the command line is wrong
#include <c10/util/Exception.h>
#include <torch/version.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <new>
#include <string>

#include "cli/commands.h"
#include "core/error.h"

namespace {

constexpr const char* kFooter = R"(How to begin:
  agro COMMAND --help           options, formats and examples of a command
  agro eval MODEL PROMPTS       how good is a model?
  agro train --print-config     what can be configured, with defaults
  agro train CONFIG             fine-tune

MODEL is a folder as on the HuggingFace hub: config.json, *.safetensors, tokenizer.json.
PROMPTS is JSONL: {"prompt": "What is 2+2?", "answer": "4"} on each line.)";

std::string usage_message(const CLI::App* program, const CLI::Error& error) {
  const auto chosen = program->get_subcommands();
  const std::string command = chosen.empty() ? "" : chosen.front()->get_name() + " ";
  return fmt::format("agro: error: {}\n  hint: agro {}--help\n", error.what(), command);
}

int report(const std::string& message) {
  std::cerr << "agro: error: " << message << std::endl;
  return 1;
}

/// LibTorch's messages go on for pages; the first line says what happened.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

int run(int argc, char** argv) {
  CLI::App program(
      "Fine-tune language models with reinforcement learning: one native program, HuggingFace model folders in and "
      "out.",
      "agro");
  program.set_version_flag("--version", "agro " AGRO_VERSION " (LibTorch " TORCH_VERSION ")");
  program.require_subcommand(1);
  program.footer(kFooter);
  program.failure_message(usage_message);
  program.get_formatter()->column_width(36);
  for (const auto add :
       {agro::add_train, agro::add_sft, agro::add_config, agro::add_init, agro::add_inspect, agro::add_generate,
        agro::add_score, agro::add_eval, agro::add_report, agro::add_watch, agro::add_runs, agro::add_problems,
        agro::add_lab, agro::add_bench, agro::add_tokenize, agro::add_logprobs, agro::add_verify, agro::add_objective})
    add(program);
  try {
    program.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : 2;
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const agro::Error& error) {
    return report(error.what());
  } catch (const c10::Error& error) {
    return report("LibTorch: " + first_line(error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    return report("not enough memory");
  } catch (const std::exception& error) {
    return report(error.what());
  }
}
