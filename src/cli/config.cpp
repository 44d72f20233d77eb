#include "train/config.h"

#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace agro {
namespace {

constexpr const char* kIntroduction = R"(# Configuration

This page is printed by the program itself: `agro config --markdown > docs/configuration.md`.

A configuration is a TOML file. Every key has a default and may be left out, but `run.output`, `model.path` and some
data must be set. A new file can begin as

    agro config train > experiment.toml

which writes every key with its default and its meaning as a comment. The same for a given file, after its own keys and
all overrides: `agro train experiment.toml --print-config`.

* **On the command line**, `--set objective.beta=0.05` sets a key; it may be given several times. The value is written as
  in TOML; what is no TOML counts as text, so that `--set run.output=runs/b` needs no quotes.
* **Rewards are a list.** `[[rewards.reward]]` stands in the file once for each reward; by default there is none.
  `--set rewards.reward.0.weight=2` reaches into the list, and the index one past its end appends to it.
* **Paths** are taken from the folder the program is started in, not from the folder of the file.
* **Mistakes** are errors, never passed over: an unknown key (the nearest known one is named), a wrong type, a value out
  of range (the range is named).
* `RUN/config.toml` holds every key as the run used it.

Dots and tables mean the same: `objective.beta = 0.1` in the first lines of a file is `beta = 0.1` under `[objective]`.
Two rewards, of which the second counts a fifth:

```toml
objective.beta = 0.1

[[rewards.reward]]
kind = "last_number"

[[rewards.reward]]
kind = "command"
command = ["python3", "style.py"]
weight = 0.2
```

)";

/// What only `agro sft` has.
struct SftOnly {
  SftSection sft;
  void visit(ConfigVisitor& v) { v.section("sft", sft, "Supervised training."); }
};

/// The names of a configuration's sections, in order.
class SectionNames final : public ConfigVisitor {
 public:
  std::vector<std::string> names;

  void field(std::string_view, bool&, std::string_view) override {}
  void field(std::string_view, int64_t&, Range, std::string_view) override {}
  void field(std::string_view, double&, Range, std::string_view) override {}
  void field(std::string_view, std::string&, const Choices&, std::string_view) override {}
  void field(std::string_view, std::vector<std::string>&, std::string_view) override {}
  void field(std::string_view, std::vector<int64_t>&, std::string_view) override {}

 private:
  bool enter(std::string_view name, std::string_view) override {
    names.push_back(fmt::format("`[{}]`", name));
    return false;
  }
  bool enter_item(std::string_view, size_t) override { return false; }
  ListChange list_change(std::string_view, size_t current, std::string_view) override { return {current, false}; }
  void leave() override {}
};

template <class Config>
std::vector<std::string> section_names() {
  SectionNames visitor;
  Config config;
  config.visit(visitor);
  return visitor.names;
}

std::string reference() {
  std::vector<std::string> shared = section_names<SftConfig>();
  std::erase(shared, "`[sft]`");
  return fmt::format(
      "{}## `agro train`\n\n{}\n## `agro sft`\n\nThese sections have the same keys as above; only `path` counts in "
      "`[model]`:\n{}.\n\nOne section is its own.\n\n{}",
      kIntroduction, describe_config(TrainConfig{}), fmt::join(shared, ", "), describe_config(SftOnly{}));
}

}  // namespace

void add_config(CLI::App& program) {
  struct Options {
    std::string command = "train";
    bool markdown = false;
  };
  CLI::App* command =
      program.add_subcommand("config", "Every configuration key with default and meaning.")->group("Training");
  const auto options = std::make_shared<Options>();
  CLI::Option* which = command->add_option("COMMAND", options->command, "Whose keys.")
                           ->check(CLI::IsMember({"train", "sft"}))
                           ->capture_default_str();
  command->add_flag("--markdown", options->markdown, "Print the reference of both, docs/configuration.md.")
      ->excludes(which);
  command->footer(R"(Without --markdown: a TOML file of all defaults, every key explained in a comment.

Examples:
  agro config train > experiment.toml           to begin with
  agro config sft
  agro config --markdown > docs/configuration.md)");
  command->callback([options] {
    const std::string text = options->markdown             ? reference()
                             : options->command == "train" ? dump_config(TrainConfig{}, true)
                                                           : dump_config(SftConfig{}, true);
    std::cout << text << std::flush;
  });
}

}  // namespace agro
