#include "text/normalizer.h"

#include "core/error.h"
#include "text/json_fields.h"

namespace agro {
namespace {

NormalForm parse_form(const std::string& type) {
  if (type == "NFC") return NormalForm::kNfc;
  if (type == "NFD") return NormalForm::kNfd;
  if (type == "NFKC") return NormalForm::kNfkc;
  if (type == "NFKD") return NormalForm::kNfkd;
  throw fail("type = '{}' is not supported, expected NFC, NFD, NFKC, NFKD or Sequence", type);
}

}  // namespace

Normalizer Normalizer::parse(const Json* section) {
  Normalizer result;
  if (section == nullptr) return result;
  for (const Json* step : steps_of(*section, "normalizers"))
    result.forms_.push_back(parse_form(required_string(*step, "type")));
  return result;
}

std::string Normalizer::operator()(std::string_view text) const {
  std::string result(text);
  for (const NormalForm form : forms_) result = normalize(result, form);
  return result;
}

}  // namespace agro
