// Compiled once per instruction set with OSSCL_ISA (namespace) and OSSCL_LANES (floats per vector).
#include "multiply_add_kernel.hpp"

#include "simd.hpp"

namespace osscl::OSSCL_ISA {

namespace {

// Chains that do not wait for one another: enough for two units of four cycles, few enough for 16 registers.
constexpr std::size_t n_sums = 12;

float run(std::size_t n_steps) {
    // read at run time, so that no compiler computes the sums beforehand; they neither grow nor vanish
    const volatile float shrink = 0.5f, add = 1.0f;
    const Vec factor = Vec{} + shrink, term = Vec{} + add;
    // each begins with a value that the compiler does not know: equal chains would be computed once
    volatile float begin = 0.0f;
    Vec sums[n_sums];
    for (Vec& sum : sums) {
        sum = Vec{} + begin;
    }
    for (std::size_t step = 0; step < n_steps; ++step) {
        OSSCL_UNROLL(12)
        for (std::size_t i = 0; i < n_sums; ++i) {
            sums[i] = sums[i] * factor + term;
        }
    }
    Vec all = {};
    for (const Vec& sum : sums) {
        all += sum;
    }
    return all[0];
}

} // namespace

extern const MultiplyAddKernel multiply_add_kernel;
const MultiplyAddKernel multiply_add_kernel = {2 * n_sums * lanes, &run};

} // namespace osscl::OSSCL_ISA
