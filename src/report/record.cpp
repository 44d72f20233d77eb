#include "report/record.h"

#include "core/error.h"

namespace agro {

OrderedJson parse_record(std::string_view text) {
  constexpr int kMaxDepth = 64;  // writing it again goes down by recursion
  try {
    OrderedJson record = OrderedJson::parse(text, [=](int depth, OrderedJson::parse_event_t, OrderedJson&) {
      if (depth > kMaxDepth) throw fail("is nested deeper than {} levels", kMaxDepth);
      return true;
    });
    if (!record.is_object()) throw fail("is not a JSON object but {}", record.type_name());
    return record;
  } catch (const OrderedJson::exception& error) {
    throw fail("is not valid JSON: {}", error.what());
  }
}

}  // namespace agro
