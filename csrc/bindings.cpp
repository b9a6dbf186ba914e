// The module, and what Python sees of the front end. Sizes and types are checked here; the core trusts them.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "bindings.hpp"
#include "isa.hpp"
#include "logmel.hpp"
#include "without_gil.hpp"

namespace py = pybind11;

namespace {

using osscl::LogMel;

void check_shapes(const LogMel& plan, const py::array& samples, const py::array& log_mel) {
    const auto is_carray = [](const py::array& array) { return (array.flags() & py::array::c_style) != 0; };
    if (samples.ndim() != 2 || !is_carray(samples)) {
        throw std::invalid_argument("samples must be a C-contiguous array [n_clips, n_samples]");
    }
    const auto n_frames = static_cast<py::ssize_t>(plan.n_frames(static_cast<std::size_t>(samples.shape(1))));
    if (log_mel.ndim() != 3 || !is_carray(log_mel) || !py::isinstance<py::array_t<float>>(log_mel) ||
        log_mel.shape(0) != samples.shape(0) || log_mel.shape(1) != static_cast<py::ssize_t>(plan.n_mels()) ||
        log_mel.shape(2) != n_frames) {
        throw std::invalid_argument(
            "log_mel must be a C-contiguous float32 array [n_clips, n_mels, n_frames]");
    }
}

template <class Sample>
void transform_as(const LogMel& plan, const py::array& samples, py::array& log_mel, std::size_t n_threads) {
    const auto n_clips = static_cast<std::size_t>(samples.shape(0));
    const auto n_samples = static_cast<std::size_t>(samples.shape(1));
    const auto* clips = static_cast<const Sample*>(samples.data());
    auto* out = static_cast<float*>(log_mel.mutable_data()); // throws where the array is read-only
    const WithoutGil released;
    plan.transform(clips, n_clips, n_samples, out, n_threads);
}

void transform(const LogMel& plan, const py::array& samples, py::array log_mel, std::size_t n_threads) {
    check_shapes(plan, samples, log_mel);
    if (py::isinstance<py::array_t<std::int16_t>>(samples)) {
        transform_as<std::int16_t>(plan, samples, log_mel, n_threads);
    } else if (py::isinstance<py::array_t<float>>(samples)) {
        transform_as<float>(plan, samples, log_mel, n_threads);
    } else {
        throw std::invalid_argument("samples must be int16 or float32");
    }
}

py::array_t<float> to_array(const std::vector<float>& values, std::vector<py::ssize_t> shape) {
    return py::array_t<float>(std::move(shape), values.data());
}

py::dict kernel_tables(const LogMel& plan) {
    const osscl::KernelTables tables = plan.tables().view();
    const auto n_mels = static_cast<py::ssize_t>(tables.n_mels);
    const py::ssize_t n_weights =
        std::accumulate(tables.mel_count, tables.mel_count + n_mels, py::ssize_t{0});
    constexpr py::ssize_t n_fft = osscl::n_fft, half = osscl::half_fft, side = osscl::fft_side;
    const auto floats = [](const float* values, std::vector<py::ssize_t> shape) {
        return py::array_t<float>(std::move(shape), values);
    };
    py::dict arrays;
    arrays["window"] = floats(tables.window, {n_fft});
    arrays["side_twiddle"] = floats(tables.side_twiddle, {side, 2});
    arrays["step_twiddle"] = floats(tables.step_twiddle, {side, side, 2});
    arrays["split_twiddle"] = floats(tables.split_twiddle, {half, 2});
    arrays["mel_first"] = py::array_t<std::int32_t>(n_mels, tables.mel_first);
    arrays["mel_count"] = py::array_t<std::int32_t>(n_mels, tables.mel_count);
    arrays["mel_weight"] = floats(tables.mel_weight, {n_weights});
    return arrays;
}

std::vector<std::string> isa_names() {
    std::vector<std::string> names;
    for (const osscl::Isa& isa : osscl::supported_isas()) {
        names.emplace_back(isa.name);
    }
    return names;
}

} // namespace

PYBIND11_MODULE(_native, module, py::mod_gil_not_used()) {
    module.doc() = "The C++ core of osscl: the log-mel and a memory's features, TFgram and the WAV reader.";
    module.attr("__version__") = OSSCL_VERSION;
    // pybind11 gets NumPy's functions at its first array, without the interpreter's lock and not as
    // WithoutGil does
    py::array_t<float>(0);
    module.def("instruction_sets", &isa_names,
               "Instruction sets that this build holds and this processor runs, slowest first.");
    bind_multiply_add(module);
    bind_quality(module);
    bind_tfgram(module);
    bind_wav(module);

    py::class_<LogMel>(module, "LogMel", "An immutable log-mel plan; threads may share it.")
        .def(py::init([](double sample_rate_hz, std::size_t hop_length, std::size_t n_mels, double f_min_hz,
                         double f_max_hz, double power_floor, const std::string& instruction_set) {
                 return LogMel({sample_rate_hz, hop_length, n_mels, f_min_hz, f_max_hz, power_floor},
                               instruction_set);
             }),
             py::kw_only(), py::arg("sample_rate_hz"), py::arg("hop_length"), py::arg("n_mels"),
             py::arg("f_min_hz"), py::arg("f_max_hz"), py::arg("power_floor"), py::arg("instruction_set"))
        .def_property_readonly("instruction_set",
                               [](const LogMel& plan) { return std::string(plan.isa().name); })
        .def("window",
             [](const LogMel& plan) {
                 return to_array(plan.tables().window(), {static_cast<py::ssize_t>(osscl::n_fft)});
             })
        .def("mel_filters",
             [](const LogMel& plan) {
                 return to_array(plan.tables().mel_filters(), {static_cast<py::ssize_t>(plan.n_mels()),
                                                               static_cast<py::ssize_t>(osscl::n_bins)});
             })
        .def("kernel_tables", &kernel_tables,
             "The tables that the kernels read, by their names in logmel_kernel.hpp.")
        .def("transform", &transform, py::arg("samples"), py::arg("log_mel"), py::arg("n_threads"),
             "int16 or float32 [n_clips, n_samples] -> log_mel [n_clips, n_mels, n_frames], written in "
             "place.");
    bind_features(module);
}
