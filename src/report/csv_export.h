#pragma once
// The tables of runs as CSV files, for other people's plots and papers.
#include <span>
#include <string>
#include <string_view>

#include "report/run_data.h"

namespace agro {

/// One field of a CSV record (RFC 4180): in quotes where it holds a comma, a quote or a line break.
std::string csv_field(std::string_view text);

/// Writes metrics.csv, evaluations.csv and timings.csv (columns run, step, then every column of any run) and
/// results.csv (run, name, then the figures of the evaluation files) into `folder`, which is made. A missing value is
/// an empty field; numbers are written to the last bit. A table that is empty in all runs is left out.
void export_csv(std::span<const RunData> runs, const Path& folder);

}  // namespace agro
