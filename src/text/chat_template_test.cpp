#include "text/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"

namespace agro {
namespace {

const Path kGolden = AGRO_SOURCE_DIR "/tests/golden";

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "agro-chat-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  void write(const char* name, std::string_view content) const { write_atomically(path_ / name, content); }
  const Path& path() const { return path_; }

 private:
  Path path_;
};

template <class Function>
std::string message_of(Function&& function) {
  try {
    function();
    return "no error";
  } catch (const Error& error) {
    return error.what();
  }
}

const OrderedJson kHello = OrderedJson::parse(R"([{"role": "user", "content": "Hello"}])");

TEST(ChatTemplateGolden, RendersAsTransformers) {
  const Path templates = AGRO_SHARED_DIR "/tokenizers/chat_templates";
  if (!std::filesystem::exists(templates))
    GTEST_SKIP() << "SKIPPED: the published chat templates need the shared folder";
  const OrderedJson cases = read_ordered_json(kGolden / "chat/chat.json");
  ASSERT_EQ(cases.size(), 42);
  for (const auto& golden : cases) {
    const auto name = golden["template"].get<std::string>();
    const ChatTemplate chat(read_file(templates / (name + ".jinja")));
    OrderedJson variables = golden["special"];
    variables.update(golden["kwargs"]);
    variables["tools"] = golden["tools"];
    const auto render = [&] { return chat.render(golden["messages"], variables); };
    if (golden["error"].is_null()) {
      EXPECT_EQ(render(), golden["rendered"].get<std::string>()) << name << " " << golden["conversation"];
    } else {
      EXPECT_THROW(render(), Error) << name << " " << golden["conversation"];
    }
  }
}

TEST(ChatTemplateGolden, LoadsAModelFolder) {
  const Path folder = kGolden / "e2e_qwen2_addition";
  const auto chat = ChatTemplate::load(folder);
  ASSERT_TRUE(chat);
  const OrderedJson cases = read_ordered_json(folder / "golden.json")["cases"];
  ASSERT_FALSE(cases.empty());
  for (const auto& golden : cases) {
    EXPECT_EQ(chat->render(golden["messages"], {{"add_generation_prompt", true}}),
              golden["rendered"].get<std::string>());
  }
}

TEST(ChatTemplate, DefaultsOfTransformers) {
  const ChatTemplate chat(
      "{{ tools }} {{ documents }} {{ add_generation_prompt }} {{ messages[0].content }}{{ extra }}");
  EXPECT_EQ(chat.render(kHello, nullptr), "None None False Hello");
  EXPECT_EQ(chat.render(kHello, {{"add_generation_prompt", true}, {"extra", 1}}), "None None True Hello1");
}

TEST(ChatTemplate, KeepsTheTrainedPartOfGenerationBlocks) {
  const ChatTemplate chat("{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}");
  EXPECT_EQ(chat.render(kHello, nullptr), "Hello");
}

TEST(ChatTemplate, TellsTheDate) {
  const ChatTemplate chat("{{ strftime_now('%Y-%m-%d') }}");
  EXPECT_THAT(chat.render(kHello, nullptr), testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}"));
}

TEST(ChatTemplate, TemplateRefusesTheConversation) {
  const ChatTemplate chat("{% for m in messages %}\n{{ raise_exception('Only ' + m.role + 's?') }}{% endfor %}");
  EXPECT_EQ(message_of([&] { chat.render(kHello, nullptr); }), "chat template: line 2: Only users?");
}

TEST(ChatTemplate, RejectsOtherShapes) {
  const ChatTemplate chat("");
  EXPECT_EQ(message_of([&] { chat.render(OrderedJson::object(), nullptr); }),
            "chat template: messages must be an array, not object");
  EXPECT_EQ(message_of([&] { chat.render(kHello, 1); }), "chat template: variables must be an object, not number");
  OrderedJson deep;
  for (int i = 0; i < 1000; ++i) deep = OrderedJson::array({deep});
  EXPECT_THAT(message_of([&] { chat.render(deep, nullptr); }), testing::HasSubstr("JSON nests more than 128 deep"));
  EXPECT_EQ(message_of([] { ChatTemplate("{% if %}"); }),
            "chat template: line 1, column 7: expected an expression, found the end of the tag");
}

TEST(ChatTemplateLoad, SpecialTokensAreStringsOrObjects) {
  const TemporaryFolder folder;
  folder.write("tokenizer_config.json", R"({"chat_template": "{{ bos_token }}{{ eos_token }}{{ pad_token is defined }}",
      "bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false}, "pad_token": null})");
  const auto chat = ChatTemplate::load(folder.path());
  ASSERT_TRUE(chat);
  EXPECT_EQ(chat->render(kHello, nullptr), "<s></s>False");
  EXPECT_EQ(chat->render(kHello, {{"bos_token", ""}}), "</s>False");
}

TEST(ChatTemplateLoad, NamedTemplatesAndTheFile) {
  const TemporaryFolder folder;
  EXPECT_FALSE(ChatTemplate::load(folder.path()));
  folder.write("tokenizer_config.json", R"({"bos_token": "<s>"})");
  EXPECT_FALSE(ChatTemplate::load(folder.path()));
  folder.write("tokenizer_config.json", R"({"chat_template": [{"name": "tool_use", "template": "t"},
      {"name": "default", "template": "d"}], "bos_token": "<s>"})");
  EXPECT_EQ(ChatTemplate::load(folder.path())->render(kHello, nullptr), "d");
  folder.write("chat_template.jinja", "file {{ bos_token }}\n");
  EXPECT_EQ(ChatTemplate::load(folder.path())->render(kHello, nullptr), "file <s>");
}

TEST(ChatTemplateLoad, ErrorsNameTheFile) {
  const TemporaryFolder folder;
  const auto message = [&](std::string_view config) {
    folder.write("tokenizer_config.json", config);
    return message_of([&] { ChatTemplate::load(folder.path()); });
  };
  const std::string place = (folder.path() / "tokenizer_config.json").string() + ": ";
  EXPECT_EQ(message("[]"), place + "expected an object, found array");
  EXPECT_EQ(message(R"({"chat_template": 3})"),
            place + "chat_template: must be a string or a list of templates, not number");
  EXPECT_EQ(message(R"({"chat_template": [{"name": "rag", "template": ""}]})"),
            place + "chat_template: expected a template named 'default', found 'rag'");
  EXPECT_EQ(message(R"({"chat_template": [1]})"),
            place + "chat_template: every template of the list needs the strings 'name' and 'template'");
  EXPECT_EQ(message(R"({"chat_template": "{{"})"),
            place + "chat template: line 1, column 1: the tag is not closed by '}}'");
}

}  // namespace
}  // namespace agro
