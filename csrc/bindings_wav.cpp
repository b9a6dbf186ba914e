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
#include "without_gil.hpp"

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
        const WithoutGil released;
        is_read = file.read(to);
    }
    return is_read ? py::object(py::make_tuple(std::move(samples), file.n_frames())) : py::none();
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
        const WithoutGil released;
        return open(path, request);
    }();
    if (!file) {
        return py::none();
    }
    return file->is_pcm_16() ? read_as<std::int16_t>(*file, n_samples) : read_as<float>(*file, n_samples);
}

// Whether a row is that of a dead channel, and the frames of its file; nothing for a row that was not read.
using RowsRead = std::vector<std::optional<std::pair<bool, std::uint64_t>>>;

template <class Sample>
RowsRead read_rows(const std::vector<std::string>& paths, py::array& samples, const WavRequest& request,
                   std::size_t n_threads) {
    auto* rows = static_cast<Sample*>(samples.mutable_data()); // throws where the array is read-only
    const WithoutGil released;
    RowsRead read(paths.size());
    osscl::parallel_for(paths.size(), n_threads, [&](std::size_t i) {
        const std::span<Sample> row(rows + i * request.n_samples, request.n_samples);
        const std::optional<WavFile> file = open(paths[i], request);
        if (file && file->read(row)) {
            read[i] = std::pair(osscl::is_silent<Sample>(row), file->n_frames());
        }
    });
    return read;
}

RowsRead read_wavs(const std::vector<std::string>& paths, py::array samples,
                   std::optional<std::size_t> channel, std::uint32_t sample_rate_hz, float level_limit,
                   std::size_t n_threads) {
    const bool is_int16 = py::isinstance<py::array_t<std::int16_t>>(samples);
    const bool is_float = py::isinstance<py::array_t<float>>(samples);
    const bool is_carray = (samples.flags() & py::array::c_style) != 0;
    if (samples.ndim() != 2 || !is_carray || !(is_int16 || is_float) ||
        samples.shape(0) != static_cast<py::ssize_t>(paths.size())) {
        throw std::invalid_argument(
            "samples must be a C-contiguous array [n_paths, n_samples] of int16 or float32");
    }
    const WavRequest request{static_cast<std::size_t>(samples.shape(1)), channel, sample_rate_hz,
                             level_limit};
    check_request(request);
    return is_int16 ? read_rows<std::int16_t>(paths, samples, request, n_threads)
                    : read_rows<float>(paths, samples, request, n_threads);
}

} // namespace

void bind_wav(py::module_& module) {
    module.def("read_wav", &read_wav, py::kw_only(), py::arg("path"), py::arg("n_samples"),
               py::arg("channel"), py::arg("sample_rate_hz"), py::arg("level_limit"),
               "First samples of one channel of a plain WAV file, int16 where it holds 16-bit PCM, else "
               "float32, and the number of all its frames; None for any file that another reader has to "
               "judge.");
    module.def(
        "read_wavs", &read_wavs, py::kw_only(), py::arg("paths"), py::arg("samples"), py::arg("channel"),
        py::arg("sample_rate_hz"), py::arg("level_limit"), py::arg("n_threads"),
        "The same of several files, each into its row of [n_paths, n_samples], which is int16 for files "
        "of 16-bit PCM alone or float32 for all; tells whether a row is that of a dead channel and how many "
        "frames its file has, None for one that was not read and holds nothing of use.");
}
