#pragma once
// Which instruction sets the kernels are compiled for. Included before hwy/foreach_target.h in every *_cpu.cpp; the
// best one for the running CPU is chosen at run time. SSE2 is the portable floor of x86-64.
#include <hwy/detect_targets.h>

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
