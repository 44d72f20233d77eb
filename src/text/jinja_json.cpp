// JSON in and out of template values.
#include <algorithm>
#include <limits>

#include "text/jinja_value.h"

namespace agro::detail::jinja {
namespace {

Value from_json(const OrderedJson& json, int depth) {
  if (depth > Value::kMaxDepth) throw fail("JSON nests more than {} deep", Value::kMaxDepth);
  switch (json.type()) {
    case OrderedJson::value_t::null:
      return None{};
    case OrderedJson::value_t::boolean:
      return json.get<bool>();
    case OrderedJson::value_t::number_unsigned:
      if (json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        throw fail("integer {} does not fit in 64 bits", json.get<uint64_t>());
      }
      [[fallthrough]];
    case OrderedJson::value_t::number_integer:
      return json.get<int64_t>();
    case OrderedJson::value_t::number_float:
      return json.get<double>();
    case OrderedJson::value_t::string:
      return json.get_ref<const std::string&>();
    case OrderedJson::value_t::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const auto& item : json) items.push_back(from_json(item, depth + 1));
      return Value::list(std::move(items));
    }
    case OrderedJson::value_t::object: {
      std::vector<Dict::Entry> entries;
      entries.reserve(json.size());
      for (const auto& [key, item] : json.items()) entries.emplace_back(key, from_json(item, depth + 1));
      return Dict(std::move(entries));
    }
    case OrderedJson::value_t::binary:
    case OrderedJson::value_t::discarded:
      break;
  }
  throw fail("JSON of type {} has no counterpart in a template", json.type_name());
}

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, Meter& meter) : style_(style), meter_(meter) {}

  void write(const Value& value) {
    if (const auto* text = value.string()) {
      write_string(*text);
    } else if (const auto* list = value.list()) {
      write_items('[', ']', list->items.size(), [&](size_t i) { write(list->items[i]); });
    } else if (const auto* dict = value.dict()) {
      write_dict(*dict);
    } else if (const auto* boolean = value.boolean()) {
      put(*boolean ? "true" : "false");
    } else if (const auto integer = value.integer()) {
      put(std::to_string(*integer));
    } else if (const auto* real = value.real()) {
      put(real_text(*real, "Infinity", "NaN"));
    } else if (value.is_none()) {
      put("null");
    } else {
      throw fail("a value of type {} cannot be written as JSON", type_name(value));
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void write_dict(const Dict& dict) {
    std::vector<const Dict::Entry*> entries;
    for (const auto& entry : dict.entries()) entries.push_back(&entry);
    if (style_.sort_keys) std::ranges::sort(entries, {}, [](const Dict::Entry* entry) { return entry->first; });
    write_items('{', '}', entries.size(), [&](size_t i) {
      write_string(entries[i]->first);
      put(style_.key_separator);
      write(entries[i]->second);
    });
  }

  template <class WriteItem>
  void write_items(char open, char close, size_t count, WriteItem&& write_item) {
    put({&open, 1});
    ++level_;
    for (size_t i = 0; i < count; ++i) {
      if (i) put(style_.item_separator);
      new_line();
      write_item(i);
    }
    --level_;
    if (count) new_line();
    put({&close, 1});
  }

  void new_line() {
    if (!style_.indent) return;
    const auto width = static_cast<size_t>(std::max<int64_t>(0, *style_.indent));
    meter_.spend(width, level_);
    out_.append(1, '\n').append(width * level_, ' ');
  }

  void write_string(std::string_view text) {
    put("\"");
    for (const char c : text) {
      switch (c) {
        case '"':
          put("\\\"");
          break;
        case '\\':
          put("\\\\");
          break;
        case '\n':
          put("\\n");
          break;
        case '\r':
          put("\\r");
          break;
        case '\t':
          put("\\t");
          break;
        case '\b':
          put("\\b");
          break;
        case '\f':
          put("\\f");
          break;
        default:
          if (static_cast<unsigned char>(c) < 0x20) {
            put(fmt::format("\\u{:04x}", c));
          } else {
            put({&c, 1});
          }
      }
    }
    put("\"");
  }

  void put(std::string_view text) {
    meter_.spend(text.size());
    out_ += text;
  }

  const JsonStyle& style_;
  Meter& meter_;
  std::string out_;
  size_t level_ = 0;
};

}  // namespace

Value from_json(const OrderedJson& json) { return from_json(json, 0); }

std::string to_json(const Value& value, const JsonStyle& style, Meter& meter) {
  JsonWriter writer(style, meter);
  writer.write(value);
  return writer.take();
}

}  // namespace agro::detail::jinja
