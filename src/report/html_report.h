#pragma once
// The report page: one HTML file that needs no network, made of the embedded page files and the data of the runs.
#include <string>

#include "core/json.h"

namespace agro {

/// The page that shows `data` (see page_data.h for its fields). Whatever texts the data holds, they stay data: no
/// response can end the element it stands in. Equal data give equal pages.
std::string report_page(const OrderedJson& data);

}  // namespace agro
