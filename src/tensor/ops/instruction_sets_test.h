#pragma once
// Runs a test once per instruction set that the kernels are compiled for and this CPU has.
#include "tensor/ops/simd.h"

// The list of compiled targets depends on simd.h: it goes first.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <string>

#include "core/parallel.h"

namespace agro {

/// Calls body() with every instruction set chosen in turn, then restores the best one.
template <class Body>
void on_every_instruction_set(Body&& body) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

/// Worker threads for the length of a scope.
class ThreadsForTest {
 public:
  explicit ThreadsForTest(int count) : before_(thread_count()) { set_up_threads(count); }
  ~ThreadsForTest() { set_up_threads(before_); }
  ThreadsForTest(const ThreadsForTest&) = delete;
  ThreadsForTest& operator=(const ThreadsForTest&) = delete;

 private:
  int before_;
};

}  // namespace agro
