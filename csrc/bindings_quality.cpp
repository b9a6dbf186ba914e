// What Python sees of the quality of recordings. Sizes and types are checked here; the core trusts them.
#include "bindings.hpp"

#include <pybind11/numpy.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>

#include "isa.hpp"
#include "quality.hpp"
#include "thread_pool.hpp"
#include "without_gil.hpp"

namespace py = pybind11;

namespace {

bool is_carray(const py::array& array) {
    return (array.flags() & py::array::c_style) != 0;
}

template <class Sample>
void measure_as(const osscl::QualityKernel& kernel, const py::array& samples, py::array& numbers,
                std::size_t n_threads) {
    const auto n_clips = static_cast<std::size_t>(samples.shape(0));
    const auto n_samples = static_cast<std::size_t>(samples.shape(1));
    const auto* clips = static_cast<const Sample*>(samples.data());
    auto* out = static_cast<float*>(numbers.mutable_data()); // throws where the array is read-only
    const WithoutGil released;
    osscl::parallel_for(n_clips, n_threads, [&](std::size_t i) {
        const auto found =
            osscl::measure_quality(kernel, std::span<const Sample>(clips + i * n_samples, n_samples));
        std::memcpy(out + i * osscl::n_quality_numbers, &found, sizeof found);
    });
}

void measure(const py::array& samples, py::array numbers, const std::string& instruction_set,
             std::size_t n_threads) {
    const osscl::QualityKernel& kernel = *osscl::choose_isa(instruction_set).quality_kernel;
    if (samples.ndim() != 2 || !is_carray(samples) || samples.shape(1) < 1) {
        throw std::invalid_argument("samples must be a C-contiguous array [n_clips, n_samples]");
    }
    if (numbers.ndim() != 2 || !is_carray(numbers) || !py::isinstance<py::array_t<float>>(numbers) ||
        numbers.shape(0) != samples.shape(0) ||
        numbers.shape(1) != static_cast<py::ssize_t>(osscl::n_quality_numbers)) {
        throw std::invalid_argument("numbers must be a C-contiguous float32 array [n_clips, 70]");
    }
    if (py::isinstance<py::array_t<std::int16_t>>(samples)) {
        measure_as<std::int16_t>(kernel, samples, numbers, n_threads);
    } else if (py::isinstance<py::array_t<float>>(samples)) {
        measure_as<float>(kernel, samples, numbers, n_threads);
    } else {
        throw std::invalid_argument("samples must be int16 or float32");
    }
}

} // namespace

void bind_quality(py::module_& module) {
    module.def(
        "measure_quality", &measure, py::kw_only(), py::arg("samples"), py::arg("numbers"),
        py::arg("instruction_set"), py::arg("n_threads"),
        "int16 or float32 [n_clips, n_samples] -> numbers [n_clips, 70], written in place: clipped share, "
        "offset, power, step, held share, longest held run, and the power at 0, 10 .. 630 Hz.");
}
