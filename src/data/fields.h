#pragma once
// Reading single fields of a user's JSON record with errors that name the field, the expected and the found type.
#include <optional>
#include <string>

#include "core/json.h"
#include "core/tokens.h"

namespace agro::detail {

/// The field's value; nullptr where it is absent or null.
const Json* find_field(const Json& record, const std::string& key);

/// nullopt where the field is absent or null; Error where it is not a string.
std::optional<std::string> string_field(const Json& record, const std::string& key);

/// As string_field, but a number is accepted and given back as its JSON text (42 → "42").
std::optional<std::string> text_field(const Json& record, const std::string& key);

/// nullopt where the field is absent or null; Error where it is not a finite number.
std::optional<double> number_field(const Json& record, const std::string& key);

/// A non-empty array of token ids, each in [0, 2^31). `name` is used in errors.
TokenIds token_ids(const Json& value, const std::string& name);

/// Throws Error unless the record is an object nested at most 64 deep (copies and dumps of a value recurse).
void check_record(const Json& record);

}  // namespace agro::detail
