#include "data/prompt_template.h"

#include <algorithm>

#include "core/error.h"
#include "data/fields.h"

namespace agro {
namespace {

bool is_name(std::string_view text) {
  const auto word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && word(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return word(c) || digit(c); });
}

std::string field_text(const Json& record, std::string_view name) {
  const auto text = detail::text_field(record, std::string(name));
  if (!text)
    throw fail("the prompt template asks for '{}', which this record does not have", name)
        .hint("a literal {name} is written {{name}} in the template");
  return *text;
}

/// `pattern` with each {name} replaced by value_of(name), and whether it had any.
template <class ValueOf>
std::pair<std::string, bool> expand(std::string_view pattern, ValueOf value_of) {
  std::string filled;
  bool any = false;
  for (size_t i = 0; i < pattern.size();) {
    const size_t close = pattern[i] == '{' ? pattern.find('}', i) : std::string_view::npos;
    const bool doubled = pattern.substr(i, 2) == "{{" && pattern.substr(std::min(close, pattern.size()), 2) == "}}";
    const size_t name_begin = i + (doubled ? 2 : 1);
    const std::string_view name =
        close == std::string_view::npos || close < name_begin ? "" : pattern.substr(name_begin, close - name_begin);
    if (!is_name(name)) {
      filled += pattern[i++];
    } else if (doubled) {
      filled.append("{").append(name).append("}");
      i = close + 2;
    } else {
      filled += value_of(name);
      any = true;
      i = close + 1;
    }
  }
  return {std::move(filled), any};
}

Error no_field() {
  return fail("the prompt template has no {{prompt}} or other field in braces: every prompt would be the same");
}

}  // namespace

void PromptExample::visit(ConfigVisitor& v) {
  v.field("prompt", prompt, "The problem, as {prompt} has it.");
  v.field("completion", completion, "What the model should have answered.");
}

void PromptTemplate::visit(ConfigVisitor& v) {
  v.field("form", form, {"text", "chat"},
          "text: one text, for base models. chat: messages, rendered by the model's chat template.");
  v.field("text", text, "The text around a problem: \"Question: {prompt}\\nAnswer:\".");
  v.field("system", system, "chat: the system message; empty: none.");
  v.field("joint", joint, "text: what stands between an example's text and its completion.");
  v.field("between", between, "text: what stands between examples.");
  v.list("example", example, "[[example]]: a worked example, shown before the problem.");
}

std::string PromptTemplate::fill_text(const Json& record, std::string_view prompt) const {
  std::string filled;
  for (const PromptExample& shown : example)
    filled += fill_template(text, Json::object(), shown.prompt) + joint + shown.completion + between;
  return filled + fill_template(text, record, prompt);
}

OrderedJson PromptTemplate::fill_chat(const Json& record, std::string_view prompt) const {
  OrderedJson messages = OrderedJson::array();
  const auto say = [&messages](const char* role, std::string content) {
    messages.push_back({{"role", role}, {"content", std::move(content)}});
  };
  if (!system.empty()) say("system", system);
  for (const PromptExample& shown : example) {
    say("user", fill_template(text, Json::object(), shown.prompt));
    say("assistant", shown.completion);
  }
  say("user", fill_template(text, record, prompt));
  return messages;
}

PromptTemplate load_prompt_template(const Path& path) {
  PromptTemplate form;
  if (path.extension() == ".toml") {
    load_config(form, path);
  } else {
    form.text = read_file(path);
    if (form.text.ends_with('\n')) form.text.pop_back();
  }
  try {
    if (!form.system.empty() && !form.is_chat())
      throw Error("has a system message, which a text cannot hold").hint("form = \"chat\"");
    if (form.text.find("{prompt}") == std::string::npos && !form.example.empty())
      throw fail("has examples, but no {{prompt}} in its text to put them in");
    for (size_t i = 0; i < form.example.size(); ++i) {
      const PromptExample& shown = form.example[i];
      try {
        if (shown.prompt.empty() || shown.completion.empty()) throw Error("needs a prompt and a completion");
        fill_template(form.text, Json::object(), shown.prompt);
      } catch (Error& error) {
        throw std::move(error).at(fmt::format("example {}", i + 1));
      }
    }
    if (!expand(form.text, [](std::string_view) { return ""; }).second) throw no_field();
  } catch (Error& error) {
    throw std::move(error).at(path.string());
  }
  return form;
}

std::string fill_template(std::string_view pattern, const Json& record, std::string_view prompt) {
  auto [filled, any] = expand(pattern, [&](std::string_view name) {
    return name == "prompt" ? std::string(prompt) : field_text(record, name);
  });
  if (!any) throw no_field();
  return std::move(filled);
}

}  // namespace agro
