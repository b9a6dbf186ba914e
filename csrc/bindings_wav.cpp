// What Python sees of the WAV reader. Sizes and types are checked here; the core trusts them.
#include "bindings.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "thread_pool.hpp"
#include "wav.hpp"

namespace py = pybind11;

namespace {

using osscl::WavFile;
using osscl::WavRequest;

// No file has a name with a zero byte in it; C would open the file named by the part before.
std::optional<WavFile> open(const std::string& path, const WavRequest& request) {
    const bool is_a_name = path.find('\0') == std::string::npos;
    return is_a_name ? WavFile::open(path.c_str(), request) : std::nullopt;
}

template <class Sample> py::object read_as(const WavFile& file, std::size_t n_samples) {
    py::array_t<Sample> samples(static_cast<py::ssize_t>(n_samples));
    const std::span<Sample> to(samples.mutable_data(), n_samples);
    bool is_read = false;
    {
        const py::gil_scoped_release released;
        is_read = file.read(to);
    }
    return is_read ? py::object(std::move(samples)) : py::none();
}

void check_request(const WavRequest& request) {
    if (request.n_samples < 1) {
        throw std::invalid_argument("n_samples must be positive");
    }
}

py::object read_wav(const std::string& path, std::size_t n_samples, std::optional<std::size_t> channel,
                    std::uint32_t sample_rate_hz, float level_limit) {
    const WavRequest request{n_samples, channel, sample_rate_hz, level_limit};
    check_request(request);
    const std::optional<WavFile> file = [&] {
        const py::gil_scoped_release released;
        return open(path, request);
    }();
    if (!file) {
        return py::none();
    }
    return file->is_pcm_16() ? read_as<std::int16_t>(*file, n_samples) : read_as<float>(*file, n_samples);
}

void check_batch(const std::vector<std::string>& paths, const py::array& samples) {
    const bool is_carray = (samples.flags() & py::array::c_style) != 0;
    if (samples.ndim() != 2 || !is_carray || !py::isinstance<py::array_t<float>>(samples) ||
        samples.shape(0) != static_cast<py::ssize_t>(paths.size())) {
        throw std::invalid_argument("samples must be a C-contiguous float32 array [n_paths, n_samples]");
    }
}

std::vector<bool> read_wavs(const std::vector<std::string>& paths, py::array samples,
                            std::optional<std::size_t> channel, std::uint32_t sample_rate_hz,
                            float level_limit, std::size_t n_threads) {
    check_batch(paths, samples);
    const auto n_samples = static_cast<std::size_t>(samples.shape(1));
    const WavRequest request{n_samples, channel, sample_rate_hz, level_limit};
    check_request(request);
    auto* rows = static_cast<float*>(samples.mutable_data()); // throws where the array is read-only
    const py::gil_scoped_release released;
    std::vector<std::uint8_t> is_read(paths.size()); // no vector<bool>: threads write to neighbours
    osscl::parallel_for(paths.size(), n_threads, [&](std::size_t i) {
        const std::optional<WavFile> file = open(paths[i], request);
        is_read[i] = file && file->read(std::span<float>(rows + i * n_samples, n_samples));
    });
    return {is_read.begin(), is_read.end()};
}

} // namespace

void bind_wav(py::module_& module) {
    module.def("read_wav", &read_wav, py::kw_only(), py::arg("path"), py::arg("n_samples"),
               py::arg("channel"), py::arg("sample_rate_hz"), py::arg("level_limit"),
               "First samples of one channel of a plain WAV file, int16 where it holds 16-bit PCM, else "
               "float32; None for any file that another reader has to judge.");
    module.def("read_wavs", &read_wavs, py::kw_only(), py::arg("paths"), py::arg("samples"),
               py::arg("channel"), py::arg("sample_rate_hz"), py::arg("level_limit"), py::arg("n_threads"),
               "The same of several files, each into its row of float32 [n_paths, n_samples]; tells which "
               "rows were read, the others hold nothing of use.");
}
