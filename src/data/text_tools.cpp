#include "data/text_tools.h"

namespace agro {

TextTools load_text_tools(const Path& folder) {
  TextTools tools;
  if (std::filesystem::exists(folder / "tokenizer.json")) tools.tokenizer = Tokenizer::load(folder);
  tools.chat_template = ChatTemplate::load(folder);
  return tools;
}

Encoders make_encoders(const TextTools& tools, TokenIds end_ids, bool append_end) {
  Encoders encoders;
  encoders.end_ids = std::move(end_ids);
  encoders.append_end = append_end;
  if (tools.chat_template) {
    encoders.render_chat = [chat = *tools.chat_template](const OrderedJson& messages) {
      return chat.render(messages, {{"add_generation_prompt", true}});
    };
  }
  if (tools.tokenizer) {
    encoders.encode = [t = *tools.tokenizer](std::string_view text) { return t.encode(text); };
    encoders.decode = [t = *tools.tokenizer](const TokenIds& ids) { return t.decode(ids); };
  }
  return encoders;
}

void add_system_prompt(PromptRecord& prompt, const std::string& system_prompt) {
  if (system_prompt.empty() || prompt.text.empty()) return;
  prompt.messages = OrderedJson::array(
      {{{"role", "system"}, {"content", system_prompt}}, {{"role", "user"}, {"content", prompt.text}}});
  prompt.text.clear();
}

}  // namespace agro
