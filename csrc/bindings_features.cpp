// What Python sees of the features. Sizes and types are checked here; the core trusts them.
#include "bindings.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>

#include "features.hpp"
#include "without_gil.hpp"

namespace py = pybind11;

namespace {

using osscl::Features;

bool is_carray(const py::array& array) {
    return (array.flags() & py::array::c_style) != 0;
}

// Whether an array is float32, C-contiguous and [n_clips, *shape].
bool is_output(const py::array& array, py::ssize_t n_clips, std::initializer_list<std::size_t> shape) {
    if (!py::isinstance<py::array_t<float>>(array) || !is_carray(array) ||
        array.ndim() != static_cast<py::ssize_t>(shape.size() + 1) || array.shape(0) != n_clips) {
        return false;
    }
    py::ssize_t axis = 0;
    for (const std::size_t size : shape) {
        if (array.shape(++axis) != static_cast<py::ssize_t>(size)) {
            return false;
        }
    }
    return true;
}

template <class Sample>
void transform_as(const Features& plan, const py::array& samples, py::array& features,
                  std::optional<py::array>& log_mel, std::size_t n_threads) {
    const auto n_clips = static_cast<std::size_t>(samples.shape(0));
    const auto* clips = static_cast<const Sample*>(samples.data());
    auto* out = static_cast<float*>(features.mutable_data()); // throws where the array is read-only
    auto* log_mel_out = log_mel ? static_cast<float*>(log_mel->mutable_data()) : nullptr;
    const WithoutGil released;
    plan.transform(clips, n_clips, log_mel_out, out, n_threads);
}

void transform(const Features& plan, const py::array& samples, py::array features,
               std::optional<py::array> log_mel, std::size_t n_threads) {
    if (samples.ndim() != 2 || !is_carray(samples) ||
        samples.shape(1) != static_cast<py::ssize_t>(osscl::n_clip_samples)) {
        throw std::invalid_argument("samples must be a C-contiguous array [n_clips, 160000]");
    }
    if (!is_output(features, samples.shape(0), {osscl::n_features})) {
        throw std::invalid_argument("features must be a C-contiguous float32 array [n_clips, 360]");
    }
    if (log_mel && !is_output(*log_mel, samples.shape(0), {osscl::n_feature_mels, osscl::n_mel_frames})) {
        throw std::invalid_argument("log_mel must be a C-contiguous float32 array [n_clips, 128, 313]");
    }
    if (py::isinstance<py::array_t<std::int16_t>>(samples)) {
        transform_as<std::int16_t>(plan, samples, features, log_mel, n_threads);
    } else if (py::isinstance<py::array_t<float>>(samples)) {
        transform_as<float>(plan, samples, features, log_mel, n_threads);
    } else {
        throw std::invalid_argument("samples must be int16 or float32");
    }
}

} // namespace

void bind_features(py::module_& module) {
    py::class_<Features>(module, "Features",
                         "An immutable plan of a memory's features; threads may share it.")
        .def(py::init<const osscl::LogMel&>(), py::arg("log_mel"))
        .def("transform", &transform, py::arg("samples"), py::arg("features"), py::arg("log_mel"),
             py::arg("n_threads"),
             "int16 or float32 [n_clips, 160000] -> features [n_clips, 360] and, unless it is None, log_mel "
             "[n_clips, 128, 313], written in place.");
}
