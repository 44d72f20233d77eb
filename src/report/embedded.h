#pragma once
// The files of the report page, carried by the program: src/report/page/ and the libraries the page uses.
#include <string_view>

namespace agro {

/// The bytes of the embedded file `name`, e.g. "style.css"; empty where there is none of that name.
std::string_view embedded_file(std::string_view name);

}  // namespace agro
