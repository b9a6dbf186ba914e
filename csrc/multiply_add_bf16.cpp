// Compiled for AVX512_BF16 alone.
#include "multiply_add_kernel.hpp"

#include <immintrin.h>

namespace osscl::avx512bf16 {

namespace {

constexpr std::size_t n_sums = 12, lanes = 16, products_per_lane = 2;

float run(std::size_t n_steps) {
    const volatile int ones = 0x3f803f80; // two bf16 of 1.0; read at run time, as in multiply_add_kernel.cpp
    const __m512bh left = (__m512bh)_mm512_set1_epi32(ones), right = left;
    volatile float begin = 0.0f; // likewise
    __m512 sums[n_sums];
    for (auto& sum : sums) {
        sum = _mm512_set1_ps(begin);
    }
    for (std::size_t step = 0; step < n_steps; ++step) {
#pragma GCC unroll 12
        for (std::size_t i = 0; i < n_sums; ++i) {
            sums[i] = _mm512_dpbf16_ps(sums[i], left, right);
        }
    }
    __m512 all = _mm512_setzero_ps();
    for (const auto& sum : sums) {
        all = _mm512_add_ps(all, sum);
    }
    return _mm512_cvtss_f32(all);
}

} // namespace

extern const MultiplyAddKernel multiply_add_kernel;
const MultiplyAddKernel multiply_add_kernel = {2 * products_per_lane * n_sums * lanes, &run};

} // namespace osscl::avx512bf16
