#include "tensor/safetensors_json.h"

#include <unordered_set>
#include <vector>

#include "core/error.h"

namespace agro::detail {

Json parse_strict_json(std::string_view text, int max_depth,
                       const std::function<void(int depth, const std::string& key)>& on_key) {
  std::vector<std::unordered_set<std::string>> seen(static_cast<size_t>(max_depth) + 1);
  const auto watch = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    const bool opens = event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    if (opens && depth >= max_depth) throw fail("is nested deeper than {} levels", max_depth);
    if (opens) seen[static_cast<size_t>(depth) + 1].clear();
    if (event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!seen[static_cast<size_t>(depth)].insert(key).second) throw fail("has the key '{}' twice", key);
      on_key(depth, key);
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), watch);
  } catch (const nlohmann::json::exception& error) {
    // The parser's message quotes the offending token, which may be as long as the file.
    throw fail("is not valid JSON: {}", std::string_view(error.what()).substr(0, 200));
  }
}

}  // namespace agro::detail
