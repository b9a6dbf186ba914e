// What Python sees of TFgram. Sizes and types are checked here and in the plan's constructor.
#include "bindings.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tfgram.hpp"
#include "without_gil.hpp"

namespace py = pybind11;

namespace {

using osscl::Tfgram;
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

Tfgram make_plan(const std::vector<std::pair<FloatArray, FloatArray>>& weights,
                 const std::vector<std::size_t>& lengths, const std::string& instruction_set) {
    std::vector<osscl::ConvWeights> views;
    for (const auto& [weight, bias] : weights) {
        views.push_back({{weight.data(), static_cast<std::size_t>(weight.size())},
                         {bias.data(), static_cast<std::size_t>(bias.size())}});
    }
    return Tfgram(views, lengths, instruction_set);
}

template <class Sample>
void transform_as(const Tfgram& plan, const py::array& samples, py::array& maps, std::size_t n_threads) {
    const auto n_clips = static_cast<std::size_t>(samples.shape(0));
    const auto* clips = static_cast<const Sample*>(samples.data());
    auto* out = static_cast<float*>(maps.mutable_data()); // throws where the array is read-only
    const WithoutGil released;
    plan.transform(clips, n_clips, out, n_threads);
}

void transform(const Tfgram& plan, const py::array& samples, py::array maps, std::size_t n_threads) {
    const auto is_carray = [](const py::array& array) { return (array.flags() & py::array::c_style) != 0; };
    if (samples.ndim() != 2 || !is_carray(samples) ||
        samples.shape(1) != static_cast<py::ssize_t>(plan.n_samples())) {
        throw std::invalid_argument("samples must be a C-contiguous array [n_clips, n_samples]");
    }
    if (maps.ndim() != 3 || !is_carray(maps) || !py::isinstance<py::array_t<float>>(maps) ||
        maps.shape(0) != samples.shape(0) || maps.shape(1) != static_cast<py::ssize_t>(plan.n_channels()) ||
        maps.shape(2) != static_cast<py::ssize_t>(plan.n_frames())) {
        throw std::invalid_argument(
            "maps must be a C-contiguous float32 array [n_clips, n_channels, n_frames]");
    }
    if (py::isinstance<py::array_t<std::int16_t>>(samples)) {
        transform_as<std::int16_t>(plan, samples, maps, n_threads);
    } else if (py::isinstance<py::array_t<float>>(samples)) {
        transform_as<float>(plan, samples, maps, n_threads);
    } else {
        throw std::invalid_argument("samples must be int16 or float32");
    }
}

} // namespace

void bind_tfgram(py::module_& module) {
    py::class_<Tfgram>(module, "Tfgram", "An immutable plan of TFgram; threads may share it.")
        .def(py::init(&make_plan), py::kw_only(), py::arg("weights"), py::arg("lengths"),
             py::arg("instruction_set"))
        .def("transform", &transform, py::arg("samples"), py::arg("maps"), py::arg("n_threads"),
             "int16 or float32 [n_clips, n_samples] -> maps [n_clips, n_channels, n_frames], written in "
             "place.");
}
