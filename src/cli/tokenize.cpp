#include <CLI/App.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/json_lines.h"
#include "core/error.h"
#include "data/fields.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace agro {
namespace {

struct Options {
  std::string folder;
  bool add_special = false, skip_special = false;
};

class Window {
 public:
  explicit Window(const Options& options)
      : options_(options), tokenizer_(Tokenizer::load(options.folder)), chat_(ChatTemplate::load(options.folder)) {}

  OrderedJson answer(const OrderedJson& record) const {
    if (record.contains("text") + record.contains("messages") + record.contains("ids") != 1)
      throw Error("expected exactly one of \"text\", \"messages\" and \"ids\"");
    if (record.contains("messages")) return rendered(record);
    return record.contains("text") ? encoded(record["text"]) : decoded(record["ids"]);
  }

 private:
  OrderedJson encoded(const OrderedJson& text) const {
    if (!text.is_string()) throw fail("'text' must be a string, found {}", text.type_name());
    const TokenIds ids = tokenizer_.encode(text.get_ref<const std::string&>(), options_.add_special);
    OrderedJson tokens = OrderedJson::array();
    for (const TokenId id : ids) tokens.push_back(tokenizer_.token(id));
    return {{"ids", ids}, {"tokens", std::move(tokens)}};
  }

  OrderedJson decoded(const OrderedJson& ids) const {
    const bool none = ids.is_array() && ids.empty();
    return {{"text", none ? "" : tokenizer_.decode(detail::token_ids(Json(ids), "ids"), options_.skip_special)}};
  }

  /// Whatever else the record holds is the template's: tools, add_generation_prompt, ... A template writes its special
  /// tokens itself.
  OrderedJson rendered(const OrderedJson& record) const {
    if (!chat_) throw fail("{} has no chat template", options_.folder).hint("give \"text\"");
    OrderedJson variables = record;
    variables.erase("messages");
    const std::string text = chat_->render(record["messages"], variables);
    return {{"text", text}, {"ids", tokenizer_.encode(text)}};
  }

  const Options& options_;
  Tokenizer tokenizer_;
  std::optional<ChatTemplate> chat_;
};

}  // namespace

void add_tokenize(CLI::App& program) {
  CLI::App* command = program.add_subcommand("tokenize", "Text to token ids and back.")->group("Windows for scripts");
  const auto options = std::make_shared<Options>();
  command->add_option("FOLDER", options->folder, "Folder with tokenizer.json.")->required();
  command->add_flag("--add-special", options->add_special, "Add the tokenizer's special tokens to \"text\".");
  command->add_flag("--skip-special", options->skip_special, "Leave special tokens out of decoded text.");
  command->footer(R"(JSON lines on standard input, one answer each on standard output:
  {"text"}                    -> {"ids", "tokens"}
  {"messages", "tools"?, ...} -> {"text", "ids"}   other keys go to the chat template
  {"ids"}                     -> {"text"}

Example:
  echo '{"text": "1 + 1 = 2"}' | agro tokenize path/to/model)");
  command->callback([options] {
    const Window window(*options);
    answer_lines([&](const OrderedJson& record, int64_t) { return window.answer(record); });
  });
}

}  // namespace agro
