// Which instruction sets this build has kernels for, and which of them this processor runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "features_kernel.hpp"
#include "logmel_kernel.hpp"
#include "multiply_add_kernel.hpp"
#include "quality_kernel.hpp"
#include "tfgram_kernel.hpp"

namespace osscl {

struct Isa {
    std::string_view name;
    const Kernel* kernel;
    const FeatureKernel* feature_kernel;
    const TfgramKernel* tfgram_kernel;
    const MultiplyAddKernel* multiply_add_kernel;
    const QualityKernel* quality_kernel;
};

// Instruction sets that this build holds and this processor runs, slowest first.
const std::vector<Isa>& supported_isas();

// The named instruction set, or the fastest one where `name` is empty.
// Throws std::invalid_argument for a name that this processor or this build lacks.
const Isa& choose_isa(const std::string& name);

} // namespace osscl
