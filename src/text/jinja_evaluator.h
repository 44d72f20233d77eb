#pragma once
// Runs a parsed template.
#include <string>
#include <vector>

#include "text/jinja_ast.h"

namespace agro::detail::jinja {

/// The text of `source` with these variables, which hide the built-in functions of the same name. Throws Error naming
/// the line: raise_exception's message, an operation Python would refuse, or a limit (work, nesting) exceeded.
std::string render(const Template& source, std::vector<Dict::Entry> variables);

}  // namespace agro::detail::jinja
