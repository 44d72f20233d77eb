#pragma once
// How `agro eval` shows what it measured: the table on the screen, and the page.
#include <optional>
#include <string>

#include "core/json.h"
#include "evaluate/comparison.h"
#include "evaluate/evaluator.h"

namespace agro {

/// Estimates with their intervals, the other figures with their standard errors, the parts, and the comparison.
std::string evaluation_text(const EvaluationResult& result, const EvaluationSummary& summary,
                            const std::optional<PairedComparison>& comparison);

/// The report page of one evaluation: statistics and all responses to browse, in one file. `record` is
/// evaluation_record's, with the comparison.
std::string evaluation_page(const OrderedJson& record);

}  // namespace agro
