// What the shared arithmetic is written over: Vec, which holds a float of each lane that a kernel file is
// compiled for, and IntVec, which holds as many integers. A GPU gives each of its lanes a thread instead.
#pragma once

#ifdef OSSCL_LANES
#include "simd.hpp"
#else
#include "cuda/scalar.hpp"
#endif
