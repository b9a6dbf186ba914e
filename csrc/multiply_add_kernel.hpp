// Multiply-adds in registers and nothing else: what a core computes at most.
// Plain data only, for the reason that logmel_kernel.hpp tells.
#pragma once

#include <cstddef>

namespace osscl {

struct MultiplyAddKernel {
    std::size_t flop_per_step; // a multiply-add counts as two
    // Steps, one after the other; what they give is of no meaning, but has to be computed.
    float (*run)(std::size_t n_steps);
};

// Defined by multiply_add_kernel.cpp, once for each instruction set that this build holds.
namespace generic {
extern const MultiplyAddKernel multiply_add_kernel;
}
namespace neon {
extern const MultiplyAddKernel multiply_add_kernel;
}
namespace sse2 {
extern const MultiplyAddKernel multiply_add_kernel;
}
namespace avx2 {
extern const MultiplyAddKernel multiply_add_kernel;
}
namespace avx512 {
extern const MultiplyAddKernel multiply_add_kernel;
}

// Pairs of bf16 products added to float32; by multiply_add_bf16.cpp, where the compiler knows the
// instruction.
namespace avx512bf16 {
extern const MultiplyAddKernel multiply_add_kernel;
}

} // namespace osscl
