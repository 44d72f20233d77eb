// The documents against the program: what they link to exists, and what they show is accepted.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string_view>

#include "markdown.h"
#include "support.h"

namespace agro {
namespace {

const Path kRoot = AGRO_SOURCE_DIR;

std::vector<Path> documents() {
  std::vector<Path> paths = {kRoot / "README.md", kRoot / "CONTRIBUTING.md"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot / "docs"))
    if (entry.path().extension() == ".md") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string place(const Path& path, size_t line) {
  return fmt::format("{}:{}", path.lexically_relative(kRoot).string(), line);
}

/// What `agro COMMAND --help` or `agro --help` says, asked once.
class Docs : public ProgramTest {
 protected:
  const std::string& help(const std::string& command = "") {
    const auto [at, is_new] = help_.try_emplace(command);
    if (is_new) {
      const Finished finished = command.empty() ? run({"--help"}) : run({command, "--help"});
      EXPECT_EQ(finished.code, 0) << command << ": " << finished.err;
      at->second = finished.out;
    }
    return at->second;
  }

  bool has_command(const std::string& name) { return help().find("\n  " + name + " ") != std::string::npos; }

  bool has_option(const std::string& command, const std::string& option) {
    return std::regex_search(help(command), std::regex("(^|[\\s,])" + option + "(?![\\w-])"));
  }

  /// Every "section.key" that a configuration has, list items without their index.
  std::set<std::string> configuration_keys() {
    std::set<std::string> keys;
    for (const std::string command : {"train", "sft"}) {
      const Finished finished = run({command, "--print-config", "--set", "rewards.reward.0.kind=exact"});
      EXPECT_EQ(finished.code, 0) << finished.err;
      std::string section;
      std::istringstream lines(finished.out);
      for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.front() == '#') continue;
        if (line.front() == '[') {
          section = line.substr(line.find_first_not_of('['));
          section.resize(section.find(']'));
        } else {
          keys.insert(section + "." + line.substr(0, line.find(' ')));
        }
      }
    }
    return keys;
  }

 private:
  std::map<std::string, std::string> help_;
};

TEST_F(Docs, TheConfigurationReferenceIsWhatTheProgramPrints) {
  const Finished printed = run({"config", "--markdown"});
  ASSERT_EQ(printed.code, 0) << printed.err;
  EXPECT_TRUE(printed.out == read_file(kRoot / "docs" / "configuration.md"))
      << "docs/configuration.md is out of date; to make it anew: agro config --markdown > docs/configuration.md";
}

TEST_F(Docs, TheDefaultsThatConfigPrintsAreAConfiguration) {
  for (const std::string command : {"train", "sft"}) {
    const Finished defaults = run({"config", command});
    ASSERT_EQ(defaults.code, 0) << defaults.err;
    EXPECT_EQ(defaults.out, run({command, "--print-config"}).out) << command;
    write_atomically(folder_ / "experiment.toml", defaults.out);
    const Finished read = run({command, folder_ / "experiment.toml", "--print-config"});
    EXPECT_EQ(read.code, 0) << read.err;
    EXPECT_EQ(read.out, defaults.out) << command;
  }
  EXPECT_EQ(run({"config", "eval"}).code, 2);
}

TEST_F(Docs, LinksPointAtFilesAndHeadings) {
  size_t checked = 0;
  for (const Path& path : documents()) {
    for (const MarkdownLink& link : links_of(read_file(path))) {
      if (link.target.find("://") != std::string::npos || link.target.starts_with("mailto:")) continue;
      const size_t hash = std::min(link.target.find('#'), link.target.size());
      const std::string file = link.target.substr(0, hash), heading = link.target.substr(hash);
      const Path target = file.empty() ? path : path.parent_path() / file;
      ++checked;
      EXPECT_TRUE(std::filesystem::exists(target)) << place(path, link.line) << ": no file " << link.target;
      if (heading.empty() || !std::filesystem::exists(target)) continue;
      const std::vector<std::string> anchors = anchors_of(read_file(target));
      EXPECT_NE(std::find(anchors.begin(), anchors.end(), heading.substr(1)), anchors.end())
          << place(path, link.line) << ": no heading " << link.target;
    }
  }
  EXPECT_GT(checked, 20U) << "no links were found: is the reader of Markdown broken?";
}

/// Commands of the program, in blocks and in running text.
std::vector<ShellCommand> agro_commands_of(const std::string& text) {
  std::vector<CodeBlock> blocks = code_blocks_of(text);
  std::erase_if(blocks, [](const CodeBlock& block) { return !block.language.empty() && block.language != "sh"; });
  for (const CodeSpan& span : code_spans_of(text)) blocks.push_back({"", span.text, span.line});
  std::vector<ShellCommand> commands;
  for (const CodeBlock& block : blocks)
    for (ShellCommand& command : shell_commands_of(block))
      if (Path(command.words[0]).filename() == "agro" && command.words.size() > 1 && command.words[1] != "COMMAND" &&
          !command.words[1].starts_with("--"))
        commands.push_back(std::move(command));
  return commands;
}

TEST_F(Docs, CommandsExistWithTheirOptions) {
  size_t checked = 0;
  for (const Path& path : documents()) {
    for (const ShellCommand& command : agro_commands_of(read_file(path))) {
      const std::string& name = command.words[1];
      const std::string where = place(path, command.line) + ": agro " + name;
      ++checked;
      EXPECT_TRUE(has_command(name)) << where << " is no command";
      if (!has_command(name)) continue;
      for (size_t i = 2; i < command.words.size(); ++i) {
        const std::string& word = command.words[i];
        if (word.size() < 2 || word[0] != '-' || std::isdigit(static_cast<unsigned char>(word[1])) != 0) continue;
        EXPECT_TRUE(has_option(name, word.substr(0, word.find('=')))) << where << " has no option " << word;
        if (word != "--set" || i + 1 == command.words.size()) continue;
        const Finished set = run({name == "sft" ? "sft" : "train", "--print-config", "--set", command.words[i + 1]});
        EXPECT_EQ(set.code, 0) << where << ": " << set.err;
      }
    }
  }
  EXPECT_GT(checked, 20U) << "no commands were found: is the reader of Markdown broken?";
}

TEST_F(Docs, ConfigurationsLoad) {
  size_t checked = 0;
  for (const Path& path : documents()) {
    for (const CodeBlock& block : code_blocks_of(read_file(path))) {
      if (block.language != "toml") continue;
      ++checked;
      const bool supervised = std::regex_search(block.text, std::regex("(^|\n)(\\[sft\\]|sft\\.)"));
      write_atomically(folder_ / "experiment.toml", block.text);
      const Finished read = run({supervised ? "sft" : "train", folder_ / "experiment.toml", "--print-config"});
      EXPECT_EQ(read.code, 0) << place(path, block.line) << ": " << read.err;
    }
  }
  EXPECT_GT(checked, 3U) << "no configurations were found: is the reader of Markdown broken?";
}

/// `objective.beta` or `run.threads = 1` in running text.
TEST_F(Docs, KeysThatTheTextNamesExist) {
  const std::set<std::string> keys = configuration_keys();
  ASSERT_TRUE(keys.contains("objective.beta") && keys.contains("rewards.reward.kind")) << keys.size();
  std::set<std::string> sections;
  for (const std::string& key : keys) sections.insert(key.substr(0, key.find('.')));
  const std::regex shape("([a-z]+)\\.([a-z_0-9]+(\\.[a-z_]+)*)( = .*)?");
  const std::set<std::string> endings = {"toml", "jsonl", "json", "cpp", "h", "md", "safetensors"};
  size_t checked = 0;
  for (const Path& path : documents()) {
    for (const CodeSpan& span : code_spans_of(read_file(path))) {
      std::smatch match;
      if (!std::regex_match(span.text, match, shape) || !sections.contains(match[1]) || endings.contains(match[2]))
        continue;
      ++checked;
      EXPECT_TRUE(keys.contains(match[1].str() + "." + match[2].str()))
          << place(path, span.line) << ": no key " << span.text;
    }
  }
  EXPECT_GT(checked, 20U) << "no keys were found: is the reader of Markdown broken?";
}

TEST(Markdown, IsReadAsDocumentsUseIt) {
  const std::string text =
      "# A title, with `code`\n\nSee [one](a.md#x) and ![two](b.png), not `[three](c.md)`.\n\n"
      "    echo '{\"a|b\": 1}' | agro verify --policy exact   # why\n"
      "    agro score a.jsonl \\\n      --output b.jsonl\n\n"
      "```toml\nrun.steps = 5  # [four](d.md)\n```\n";
  const std::vector<MarkdownLink> links = links_of(text);
  ASSERT_EQ(links.size(), 2U);
  EXPECT_EQ(links[0].target, "a.md#x");
  EXPECT_EQ(links[1].target, "b.png");
  EXPECT_EQ(links[1].line, 3U);
  EXPECT_EQ(anchors_of(text), std::vector<std::string>{"a-title-with-code"});
  const std::vector<CodeBlock> blocks = code_blocks_of(text);
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[1].language, "toml");
  EXPECT_EQ(blocks[1].line, 10U);
  const std::vector<ShellCommand> commands = shell_commands_of(blocks[0]);
  ASSERT_EQ(commands.size(), 3U);
  EXPECT_EQ(commands[0].words, (std::vector<std::string>{"echo", "{\"a|b\": 1}"}));
  EXPECT_EQ(commands[1].words, (std::vector<std::string>{"agro", "verify", "--policy", "exact"}));
  EXPECT_EQ(commands[2].words, (std::vector<std::string>{"agro", "score", "a.jsonl", "--output", "b.jsonl"}));
  EXPECT_EQ(commands[2].line, 6U);
}

}  // namespace
}  // namespace agro
