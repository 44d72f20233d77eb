#pragma once
// How a problem is put to a model: the text around it, worked examples before it, a chat with a system message.
// Templates are strings of a configuration, or files (configs/prompts).
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/json.h"

namespace agro {

struct PromptExample {
  std::string prompt, completion;
  void visit(ConfigVisitor& v);
};

struct PromptTemplate {
  std::string form = "text";
  std::string text = "{prompt}";
  std::string system;
  std::string joint = " ";
  std::string between = "\n\n";
  std::vector<PromptExample> example;

  void visit(ConfigVisitor& v);

  bool is_chat() const { return form == "chat"; }
  /// The whole prompt as text: the examples, then the prompt. Throws Error as fill_template does.
  std::string fill_text(const Json& record, std::string_view prompt) const;
  /// The whole prompt as messages: the system message, the examples as earlier turns, the prompt as user.
  OrderedJson fill_chat(const Json& record, std::string_view prompt) const;
};

/// Reads a template file. *.toml has the keys of PromptTemplate; any other file is the text itself, without the line
/// break at its end. Throws Error naming the file for an unknown key, a text without {prompt} or another field,
/// examples that leave a field of the text open, and a system message or examples without their form.
PromptTemplate load_prompt_template(const Path& path);

/// `pattern` with {prompt} replaced by `prompt`, and any other {name} by that field of the record; {{name}} is a
/// literal {name}, and other braces (\boxed{}) are left alone. Throws Error for a field that the record does not have,
/// and where the pattern names none.
std::string fill_template(std::string_view pattern, const Json& record, std::string_view prompt);

}  // namespace agro
