#pragma once
// A model's chat template: a conversation to the text the model was trained on. Templates are Jinja, as stored beside
// the tokenizer of a Hugging Face model folder.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/json.h"

namespace agro {

namespace detail::jinja {
struct Template;
}

class ChatTemplate {
 public:
  /// Parses the template. Throws Error with line and column on a syntax error or a construct that is not supported.
  explicit ChatTemplate(std::string_view source);

  /// The template of a model folder: chat_template.jinja if there is one, else "chat_template" of tokenizer_config.json
  /// (a string, or a list of {name, template} of which "default" is taken). The special tokens of tokenizer_config.json
  /// (bos_token, eos_token, ...) become variables. nullopt if the folder has no template.
  static std::optional<ChatTemplate> load(const Path& folder);

  /// Renders `messages`, an array of {role, content, ...}. `variables` is an object, or null for none; what it names
  /// hides the special tokens and the defaults of transformers: tools and documents none, add_generation_prompt false.
  /// Throws Error with the template's line when the template refuses the conversation (raise_exception) or fails.
  std::string render(const OrderedJson& messages, const OrderedJson& variables) const;

 private:
  std::shared_ptr<const detail::jinja::Template> template_;
  OrderedJson special_tokens_ = OrderedJson::object();
};

}  // namespace agro
