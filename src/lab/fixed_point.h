#pragma once
// The parts of the fixed-point experiment: exact flows, descent on sampled groups, and what the equations predict.
#include <memory>

#include "lab/behavior.h"
#include "lab/laboratory.h"
#include "objective/objective.h"

namespace agro {

struct Instances {
  std::vector<TabularProblem> problems;
  std::vector<std::vector<Vector>> other_models;  // [problem][prompt]
};

Instances random_instances(const LabOptions& options, double beta);

/// Ratios KL(π‖π*) / KL(π_0‖π*) of all instances along the way.
struct RatioCurve {
  std::vector<Vector> ratios;  // [records][instances], shown as 1e-16 where below
  size_t diverged = 0;         // instances with a prompt whose flow ran to the boundary
};

/// Medians with quartiles of a curve at x [records], as rows of a sheet and as a line.
void add_curve(LabSheet& sheet, const std::string& name, Source source, const Vector& x, const RatioCurve& curve);
SvgSeries plotted_series(const std::string& name, const Vector& x, const RatioCurve& curve);

/// Each appends its text, sheets and figures, and returns one line that says what was found.
std::string run_flows(const LabOptions& options, const Instances& instances, LabResult& result);
std::string run_descents(const LabOptions& options, const Instances& instances,
                         std::span<const std::unique_ptr<Objective>> objectives, LabResult& result);
std::string classify_foils(const LabOptions& options, LabResult& result);
std::string classify_through_sampling(const LabOptions& options, LabResult& result);

}  // namespace agro
