#include "isa.hpp"

#include <stdexcept>

namespace osscl {

namespace {

std::vector<Isa> detect() {
    std::vector<Isa> isas;
#ifdef OSSCL_HAS_generic
    isas.push_back({"generic", &generic::kernel, &generic::feature_kernel, &generic::tfgram_kernel,
                    &generic::multiply_add_kernel, &generic::quality_kernel});
#endif
#ifdef OSSCL_HAS_neon
    isas.push_back({"neon", &neon::kernel, &neon::feature_kernel, &neon::tfgram_kernel,
                    &neon::multiply_add_kernel, &neon::quality_kernel});
#endif
#ifdef OSSCL_HAS_sse2
    isas.push_back({"sse2", &sse2::kernel, &sse2::feature_kernel, &sse2::tfgram_kernel,
                    &sse2::multiply_add_kernel, &sse2::quality_kernel});
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        isas.push_back({"avx2", &avx2::kernel, &avx2::feature_kernel, &avx2::tfgram_kernel,
                        &avx2::multiply_add_kernel, &avx2::quality_kernel});
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("fma")) {
        isas.push_back({"avx512", &avx512::kernel, &avx512::feature_kernel, &avx512::tfgram_kernel,
                        &avx512::multiply_add_kernel, &avx512::quality_kernel});
    }
#endif
    return isas;
}

} // namespace

const std::vector<Isa>& supported_isas() {
    // never destroyed: a thread may compute while the process ends
    static const auto* isas = new const std::vector<Isa>(detect());
    return *isas;
}

const Isa& choose_isa(const std::string& name) {
    const std::vector<Isa>& isas = supported_isas();
    if (name.empty()) {
        return isas.back();
    }
    std::string names;
    for (const Isa& isa : isas) {
        if (isa.name == name) {
            return isa;
        }
        names += (names.empty() ? "" : ", ") + std::string(isa.name);
    }
    throw std::invalid_argument("instruction set '" + name +
                                "' is not available here; choose one of: " + names);
}

} // namespace osscl
