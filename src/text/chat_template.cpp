#include "text/chat_template.h"

#include <filesystem>

#include "core/error.h"
#include "text/jinja_evaluator.h"
#include "text/jinja_parser.h"

namespace agro {
namespace {

using detail::jinja::Dict;

constexpr std::string_view kPlace = "chat template";
constexpr const char* kKey = "chat_template";

// {"bos_token": "<s>"} or {"bos_token": {"content": "<s>", ...}}; a token the model lacks (null) stays undefined.
OrderedJson special_tokens(const OrderedJson& config) {
  OrderedJson tokens = OrderedJson::object();
  for (const char* name :
       {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    if (!config.contains(name)) continue;
    const OrderedJson& token = config[name];
    const OrderedJson& content = token.is_object() && token.contains("content") ? token["content"] : token;
    if (content.is_string()) tokens[name] = content;
  }
  return tokens;
}

// The source under kKey, if any.
std::optional<std::string> configured_source(const OrderedJson& config) {
  if (!config.contains(kKey) || config[kKey].is_null()) return std::nullopt;
  const OrderedJson& entry = config[kKey];
  if (entry.is_string()) return entry.get<std::string>();
  if (!entry.is_array()) throw fail("must be a string or a list of templates, not {}", entry.type_name()).at(kKey);
  std::string names;
  for (const OrderedJson& named : entry) {
    const bool complete = named.is_object() && named.contains("name") && named.contains("template") &&
                          named["name"].is_string() && named["template"].is_string();
    if (!complete) throw fail("every template of the list needs the strings 'name' and 'template'").at(kKey);
    if (named["name"] == "default") return named["template"].get<std::string>();
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", named["name"].get<std::string>());
  }
  throw fail("expected a template named 'default', found {}", names.empty() ? "none" : names).at(kKey);
}

void add_variables(std::vector<Dict::Entry>& variables, const OrderedJson& object) {
  for (const auto& [name, value] : object.items()) variables.emplace_back(name, detail::jinja::from_json(value));
}

}  // namespace

ChatTemplate::ChatTemplate(std::string_view source) {
  try {
    template_ = std::make_shared<const detail::jinja::Template>(detail::jinja::parse(source));
  } catch (Error& error) {
    throw std::move(error).at(kPlace);
  }
}

std::optional<ChatTemplate> ChatTemplate::load(const Path& folder) {
  const Path config_path = folder / "tokenizer_config.json", template_path = folder / "chat_template.jinja";
  OrderedJson config = OrderedJson::object();
  if (std::filesystem::exists(config_path)) config = read_ordered_json(config_path);
  if (!config.is_object()) throw fail("expected an object, found {}", config.type_name()).at(config_path.string());

  const bool has_file = std::filesystem::exists(template_path);
  std::optional<std::string> source;
  if (has_file) source = read_file(template_path);
  try {
    if (!has_file) source = configured_source(config);
    if (!source) return std::nullopt;
    ChatTemplate result(*source);
    result.special_tokens_ = special_tokens(config);
    return result;
  } catch (Error& error) {
    throw std::move(error).at((has_file ? template_path : config_path).string());
  }
}

std::string ChatTemplate::render(const OrderedJson& messages, const OrderedJson& variables) const {
  try {
    if (!messages.is_array()) throw fail("messages must be an array, not {}", messages.type_name());
    if (!variables.is_object() && !variables.is_null()) {
      throw fail("variables must be an object, not {}", variables.type_name());
    }
    std::vector<Dict::Entry> entries;
    add_variables(entries, {{"tools", nullptr}, {"documents", nullptr}, {"add_generation_prompt", false}});
    add_variables(entries, special_tokens_);
    add_variables(entries, variables);
    entries.emplace_back("messages", detail::jinja::from_json(messages));
    return detail::jinja::render(*template_, std::move(entries));
  } catch (Error& error) {
    throw std::move(error).at(kPlace);
  }
}

}  // namespace agro
