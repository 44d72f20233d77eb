#pragma once
// As much of Markdown and of the shell as the documents use: enough to check what they link to and what they show.
#include <cctype>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace agro {

/// A fenced block (its language after the fence) or one indented by four spaces (no language). `line` is the first of
/// its text, counted from 1.
struct CodeBlock {
  std::string language, text;
  size_t line = 0;
};

struct CodeSpan {
  std::string text;
  size_t line = 0;
};

struct MarkdownLink {
  std::string target;
  size_t line = 0;
};

struct ShellCommand {
  std::vector<std::string> words;
  size_t line = 0;
};

namespace detail {

/// A document taken apart: its code blocks, and the rest with as many lines as before.
struct MarkdownParts {
  std::vector<CodeBlock> blocks;
  std::string prose;
};

inline MarkdownParts split_markdown(const std::string& text) {
  MarkdownParts parts;
  std::istringstream lines(text);
  bool fenced = false, indented = false, after_blank = true;
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const bool blank = line.find_first_not_of(' ') == std::string::npos, deep = line.starts_with("    ");
    if (line.starts_with("```")) {
      fenced = !fenced;
      indented = false;
      if (fenced) parts.blocks.push_back({line.substr(3), "", number + 1});
      line.clear();
    } else if (fenced) {
      parts.blocks.back().text += line + '\n';
      line.clear();
    } else if (deep && (indented || after_blank)) {
      if (!indented) parts.blocks.push_back({"", "", number});
      indented = true;
      parts.blocks.back().text += line.substr(4) + '\n';
      line.clear();
    } else if (indented && blank) {
      parts.blocks.back().text += '\n';
    } else {
      indented = false;
    }
    after_blank = blank;
    parts.prose += line + '\n';
  }
  return parts;
}

/// Takes the code spans out of the prose, which keeps its lines.
inline std::vector<CodeSpan> take_code_spans(std::string& prose) {
  std::vector<CodeSpan> spans;
  size_t line = 1;
  for (size_t i = 0; i < prose.size(); ++i) {
    if (prose[i] == '\n') ++line;
    if (prose[i] != '`') continue;
    const size_t end = prose.find('`', i + 1);
    if (end == std::string::npos || prose.find("\n\n", i) < end) continue;
    CodeSpan span{prose.substr(i + 1, end - i - 1), line};
    for (size_t k = i; k <= end; ++k) {
      if (prose[k] == '\n') ++line;
      if (prose[k] != '\n') prose[k] = ' ';
    }
    for (char& c : span.text) c = c == '\n' ? ' ' : c;
    spans.push_back(std::move(span));
    i = end;
  }
  return spans;
}

}  // namespace detail

inline std::vector<CodeBlock> code_blocks_of(const std::string& text) { return detail::split_markdown(text).blocks; }

inline std::vector<CodeSpan> code_spans_of(const std::string& text) {
  std::string prose = detail::split_markdown(text).prose;
  return detail::take_code_spans(prose);
}

/// Targets of links and images.
inline std::vector<MarkdownLink> links_of(const std::string& text) {
  std::string prose = detail::split_markdown(text).prose;
  detail::take_code_spans(prose);
  std::vector<MarkdownLink> links;
  const std::regex shape("\\]\\(([^)\\s]+)");
  std::istringstream lines(prose);
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    for (std::sregex_iterator it(line.begin(), line.end(), shape), end; it != end; ++it)
      links.push_back({(*it)[1], number});
  }
  return links;
}

/// The names under which headings can be linked to, as GitHub makes them.
inline std::vector<std::string> anchors_of(const std::string& text) {
  std::vector<std::string> anchors;
  std::map<std::string, int> seen;
  std::istringstream lines(detail::split_markdown(text).prose);
  for (std::string line; std::getline(lines, line);) {
    const size_t level = line.find_first_not_of('#');
    if (level == 0 || level > 6 || level == std::string::npos || line[level] != ' ') continue;
    std::string anchor;
    for (const char c : line.substr(level + 1)) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == ' ') anchor += '-';
      if (byte >= 0x80 || std::isalnum(byte) != 0 || c == '-' || c == '_')
        anchor += static_cast<char>(std::tolower(byte));
    }
    const int repeated = seen[anchor]++;
    anchors.push_back(repeated == 0 ? anchor : anchor + '-' + std::to_string(repeated));
  }
  return anchors;
}

/// The commands of a block, also those of a pipeline; quotes, continued lines and comments as in a shell.
inline std::vector<ShellCommand> shell_commands_of(const CodeBlock& block) {
  std::vector<ShellCommand> commands;
  ShellCommand command;
  std::string word;
  size_t line = block.line;
  const auto end_word = [&] {
    if (!word.empty()) command.words.push_back(std::exchange(word, ""));
    if (command.words.size() == 1 && command.line == 0) command.line = line;
  };
  const auto end_command = [&] {
    end_word();
    if (!command.words.empty()) commands.push_back(std::exchange(command, {}));
  };
  for (size_t i = 0; i < block.text.size(); ++i) {
    const char c = block.text[i];
    if (c == '\'' || c == '"') {
      const size_t end = block.text.find(c, i + 1);
      if (end == std::string::npos) break;  // not a shell's quote: nothing more can be told
      word += block.text.substr(i + 1, end - i - 1);
      i = end;
    } else if (c == '\\' && block.text.substr(i + 1, 1) == "\n") {
      end_word();
      ++line;
      ++i;
    } else if (c == '#' && word.empty()) {
      i = block.text.find('\n', i) - 1;
    } else if (c == '|' || c == ';' || c == '\n') {
      end_command();
    } else if (c == ' ') {
      end_word();
    } else {
      word += c;
    }
    if (c == '\n') ++line;
  }
  end_command();
  return commands;
}

}  // namespace agro
