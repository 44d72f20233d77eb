#pragma once
// The curves of runs as SVG files, for papers.
#include <span>

#include "report/run_data.h"

namespace agro {

/// Runs whose configurations are equal but for run.seed and run.output, as indices, in order of first appearance. Runs
/// without configuration stand alone.
std::vector<std::vector<size_t>> seed_groups(std::span<const RunData> runs);

/// Exponential moving average that gives each earlier value `weight` (0 … 1) of the importance of the next, corrected
/// for its start: the first value stays as it is.
std::vector<double> smoothed(const std::vector<double>& values, double weight);

/// Writes one SVG per figure (greedy-accuracy.svg, reward.svg, …) into `folder`, which is made. One line per seed
/// group: the mean of its runs over the steps all of them have, the band from the lowest to the highest; for a single
/// run the 95 % interval where the figure has a standard error. A group has the same colour in all figures. Figures of
/// training steps are smoothed with `smoothing` (0: not) and say so. Figures without data are left out.
void export_svg(std::span<const RunData> runs, const Path& folder, double smoothing);

}  // namespace agro
