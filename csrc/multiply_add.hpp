// The rate of multiply-adds of this processor, by precision.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace osscl {

// Precisions that this processor multiplies in registers and this build has a kernel for: fp32, perhaps bf16.
std::vector<std::string> multiply_add_precisions();

// Lets each of n_threads threads compute n_steps steps of independent multiply-adds; returns the arithmetic
// done, a multiply-add counted as two. Throws std::invalid_argument for another precision.
double multiply_adds(const std::string& precision, std::size_t n_steps, std::size_t n_threads);

} // namespace osscl
