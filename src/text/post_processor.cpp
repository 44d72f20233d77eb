#include "text/post_processor.h"

#include "core/error.h"
#include "text/json_fields.h"

namespace agro {
namespace {

TokenIds ids_of(const Json& special_tokens, const std::string& name) {
  TokenIds ids;
  const Json& token = required(special_tokens, name);
  for (const Json& id : required_array(token, "ids")) ids.push_back(to_token_id(id));
  return ids;
}

/// The tokens before and after the text in the template for one text.
PostProcessor parse_template(const Json& section) {
  PostProcessor result;
  bool text_seen = false;
  for (const Json& piece : required_array(section, "single")) {
    if (const Json* token = optional_member(piece, "SpecialToken")) {
      const TokenIds ids = ids_of(required(section, "special_tokens"), required_string(*token, "id"));
      TokenIds& side = text_seen ? result.suffix : result.prefix;
      side.insert(side.end(), ids.begin(), ids.end());
      continue;
    }
    const std::string which = required_string(required(piece, "Sequence"), "id");
    if (which != "A" || text_seen)
      throw fail("template 'single': expected the text \"A\" exactly once, found '{}'", which);
    text_seen = true;
  }
  if (!text_seen) throw fail("template 'single' has no place for the text");
  return result;
}

}  // namespace

PostProcessor PostProcessor::parse(const Json* section) {
  PostProcessor result;
  if (section == nullptr) return result;
  for (const Json* step : steps_of(*section, "processors")) {
    const std::string type = required_string(*step, "type");
    if (type == "ByteLevel") continue;
    if (type != "TemplateProcessing")
      throw fail("type = '{}' is not supported, expected ByteLevel, TemplateProcessing or Sequence", type);
    const PostProcessor outer = parse_template(*step);
    result.prefix.insert(result.prefix.begin(), outer.prefix.begin(), outer.prefix.end());
    result.suffix.insert(result.suffix.end(), outer.suffix.begin(), outer.suffix.end());
  }
  return result;
}

}  // namespace agro
