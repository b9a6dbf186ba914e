#include "multiply_add.hpp"

#include <stdexcept>

#include "isa.hpp"
#include "multiply_add_kernel.hpp"
#include "thread_pool.hpp"

namespace osscl {

namespace {

// More tasks than threads: one that begins late leaves some of its share to the others.
constexpr std::size_t tasks_per_thread = 8;

bool has_bf16() {
#ifdef OSSCL_HAS_avx512bf16
    return __builtin_cpu_supports("avx512bf16") != 0;
#else
    return false;
#endif
}

const MultiplyAddKernel* kernel_of(const std::string& precision) {
    if (precision == "fp32") {
        return choose_isa("").multiply_add_kernel;
    }
#ifdef OSSCL_HAS_avx512bf16
    if (precision == "bf16" && has_bf16()) {
        return &avx512bf16::multiply_add_kernel;
    }
#endif
    throw std::invalid_argument("this processor has no multiply-add of precision '" + precision + "'");
}

} // namespace

std::vector<std::string> multiply_add_precisions() {
    return has_bf16() ? std::vector<std::string>{"fp32", "bf16"} : std::vector<std::string>{"fp32"};
}

double multiply_adds(const std::string& precision, std::size_t n_steps, std::size_t n_threads) {
    const MultiplyAddKernel& kernel = *kernel_of(precision);
    const std::size_t n_tasks = tasks_per_thread * n_threads;
    const std::size_t steps_per_task = n_steps / tasks_per_thread;
    parallel_for(n_tasks, n_threads, [&](std::size_t) {
        const volatile float kept = kernel.run(steps_per_task);
        static_cast<void>(kept);
    });
    return static_cast<double>(n_tasks * steps_per_task * kernel.flop_per_step);
}

} // namespace osscl
