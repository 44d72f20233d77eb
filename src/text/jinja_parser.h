#pragma once
// Template source to a parsed template.
#include <string_view>

#include "text/jinja_ast.h"

namespace agro::detail::jinja {

/// Supports set, for, if, macro, break, continue, raw and generation (whose body is kept). Throws Error naming line and
/// column on a syntax error, an unknown tag, filter or test, and a source beyond the size or nesting limit.
Template parse(std::string_view source);

}  // namespace agro::detail::jinja
