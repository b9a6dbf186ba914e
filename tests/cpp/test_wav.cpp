#include "test_wav.hpp"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "require.hpp"
#include "wav.hpp"

namespace {

constexpr std::size_t n_frames = 50;
constexpr std::uint32_t rate_hz = 16000;

class TemporaryFile {
  public:
    TemporaryFile() : descriptor_(mkstemp(path_.data())) { require(descriptor_ >= 0, "a temporary file"); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        close(descriptor_);
        unlink(path_.c_str());
    }

    const char* path() const { return path_.c_str(); }

    void write(const std::string& content) {
        require(ftruncate(descriptor_, 0) == 0, "the file is emptied");
        const ssize_t n_written = pwrite(descriptor_, content.data(), content.size(), 0);
        require(n_written == static_cast<ssize_t>(content.size()), "the file is written");
    }

  private:
    std::string path_ = "/tmp/osscl_test_XXXXXX";
    int descriptor_;
};

std::string number(std::uint64_t value, int n_bytes) {
    std::string bytes;
    for (int i = 0; i < n_bytes; ++i) {
        bytes += static_cast<char>(value >> (8 * i));
    }
    return bytes;
}

std::string chunk(const std::string& name, const std::string& body) {
    return name + number(body.size(), 4) + body + std::string(body.size() % 2, '\0');
}

std::string format(std::uint16_t tag, std::uint16_t n_bits, std::uint16_t n_channels) {
    const auto frame_bytes = static_cast<std::uint16_t>(n_channels * n_bits / 8);
    return chunk("fmt ", number(tag, 2) + number(n_channels, 2) + number(rate_hz, 4) +
                             number(rate_hz * frame_bytes, 4) + number(frame_bytes, 2) + number(n_bits, 2));
}

// A file whose chunks are of every kind that is passed over; all its samples are 0.
std::string whole_file(std::uint16_t tag, std::uint16_t n_bits, std::uint16_t n_channels) {
    const std::string texts = chunk("LIST", "INFO" + chunk("ISFT", "odd") + chunk("ICMT", "even"));
    const std::string sound(n_frames * n_channels * n_bits / 8, '\0');
    const std::string body = "WAVE" + chunk("JUNK", "odd") + format(tag, n_bits, n_channels) + texts +
                             chunk("PEAK", std::string(8 + 8 * n_channels, '\1')) + chunk("data", sound) +
                             texts;
    return "RIFF" + number(body.size(), 4) + body;
}

std::string rf64_file() {
    const std::string sizes = number(0, 8) + number(2 * n_frames, 8) + number(n_frames, 8) + number(0, 4);
    return "RF64" + number(0xFFFFFFFF, 4) + "WAVE" + chunk("ds64", sizes) + format(1, 16, 1) + "data" +
           number(0xFFFFFFFF, 4) + std::string(2 * n_frames, '\0');
}

// Whether the file is read, by whichever of its two forms it has.
bool is_read(const char* path, std::size_t n_samples, std::optional<std::size_t> channel) {
    const std::optional<osscl::WavFile> file =
        osscl::WavFile::open(path, {n_samples, channel, rate_hz, 8.0F});
    std::vector<float> samples(n_samples, 1.0F);
    if (!file || !file->read(std::span<float>(samples))) {
        return false;
    }
    std::vector<std::int16_t> integers(n_samples);
    require(file->read(std::span<std::int16_t>(integers)) == file->is_pcm_16(),
            "16 bits, and nothing else, are read in both forms");
    return true;
}

std::vector<std::string> whole_files() {
    return {whole_file(1, 16, 1), whole_file(1, 16, 3), whole_file(1, 24, 1), whole_file(1, 24, 2),
            whole_file(1, 32, 1), whole_file(3, 32, 1), whole_file(3, 64, 2), rf64_file()};
}

void whole_files_are_read(TemporaryFile& file) {
    for (const std::string& content : whole_files()) {
        file.write(content);
        require(is_read(file.path(), n_frames, 0), "the first channel is read");
        require(!is_read(file.path(), n_frames + 1, 0), "no more samples than there are");
        require(!is_read(file.path(), n_frames, 3), "no channel that is not there");
    }
}

void samples_are_scaled(TemporaryFile& file) {
    const std::string body = "WAVE" + format(1, 24, 2) +
                             chunk("data", number(0, 3) + number(0x800000, 3) + number(0, 3) + number(1, 3));
    file.write("RIFF" + number(body.size(), 4) + body);
    const auto wav = osscl::WavFile::open(file.path(), {2, 1, rate_hz, 8.0F});
    std::vector<float> samples(2);
    require(wav && wav->read(std::span<float>(samples)), "24 bits are read");
    require(samples[0] == -1.0F && samples[1] == 0x1p-23F, "full scale is 1");
}

template <class Sample> void dead_channels_are_told(Sample level, Sample last_bit) {
    std::vector<Sample> samples(n_frames, level);
    const auto is_dead = [&samples] { return osscl::is_silent<Sample>(samples); };
    require(is_dead(), "one value is no sound");
    for (std::size_t i = 1; i < n_frames; i += 3) {
        samples[i] = static_cast<Sample>(level + last_bit);
    }
    require(is_dead(), "a last bit that toggles is no sound");
    samples.back() = static_cast<Sample>(level - last_bit);
    require(!is_dead(), "a third value is sound");
    samples.assign(n_frames, level);
    samples.back() = static_cast<Sample>(level - 2 * last_bit);
    require(!is_dead(), "more than the last bit is sound");
    samples.back() = static_cast<Sample>(level - last_bit);
    require(is_dead(), "the last bit of the last sample is none");
}

void silence_is_told_from_sound() {
    dead_channels_are_told<std::int16_t>(0, 1);
    dead_channels_are_told<std::int16_t>(-32760, -1);
    dead_channels_are_told<float>(0.0F, 0x1p-15F);
    dead_channels_are_told<float>(-0.5F, 0x1p-15F);
    std::vector<float> zeros(n_frames, -0.0F);
    zeros.back() = 0.0F;
    require(osscl::is_silent<float>(zeros), "zeros of either sign are one value");
}

void cut_files_are_declined(TemporaryFile& file) {
    for (const std::string& content : whole_files()) {
        const std::size_t end_of_sound = content.rfind("data") + 8 + n_frames;
        for (std::size_t size = 0; size < end_of_sound; ++size) {
            file.write(content.substr(0, size));
            require(!is_read(file.path(), n_frames, 0), "a file without its end is declined");
        }
    }
}

void a_file_cut_while_it_is_open_is_declined(TemporaryFile& file) {
    file.write(whole_file(1, 16, 1));
    const auto wav = osscl::WavFile::open(file.path(), {n_frames, {}, rate_hz, 8.0F});
    require(wav.has_value(), "the file is opened");
    file.write("RIFF");
    std::vector<float> samples(n_frames);
    require(!wav->read(std::span<float>(samples)), "missing samples are noticed");
}

void damaged_files_stay_in_bounds(TemporaryFile& file) {
    std::uint32_t state = 1;
    const auto any_below = [&state](std::size_t limit) {
        state = state * 1664525U + 1013904223U;
        return static_cast<std::size_t>(state >> 8) % limit;
    };
    for (const std::string& content : whole_files()) {
        for (int round = 0; round < 500; ++round) {
            std::string damaged = content;
            for (std::size_t n_changes = 1 + any_below(4); n_changes > 0; --n_changes) {
                damaged[any_below(damaged.size())] = static_cast<char>(any_below(2) ? 0xFF : any_below(256));
            }
            file.write(damaged);
            is_read(file.path(), n_frames, any_below(2));
        }
    }
}

void odd_places_are_declined() {
    for (const char* path : {"", "/", "/nowhere/x.wav", "/dev/zero", "/dev/null"}) {
        require(!is_read(path, n_frames, 0), "what is no regular file is declined");
    }
}

void many_threads_share_a_file(TemporaryFile& file) {
    file.write(whole_file(3, 64, 2));
    const auto wav = osscl::WavFile::open(file.path(), {n_frames, 1, rate_hz, 8.0F});
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&wav] {
            for (int round = 0; round < 50; ++round) {
                std::vector<float> samples(n_frames, 1.0F);
                require(wav && wav->read(std::span<float>(samples)), "each thread reads");
                require(samples == std::vector<float>(n_frames, 0.0F), "each thread gets the samples");
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

} // namespace

void test_wav() {
    TemporaryFile file;
    whole_files_are_read(file);
    samples_are_scaled(file);
    silence_is_told_from_sound();
    cut_files_are_declined(file);
    a_file_cut_while_it_is_open_is_declined(file);
    damaged_files_stay_in_bounds(file);
    odd_places_are_declined();
    many_threads_share_a_file(file);
    std::printf("WAV: passed\n");
}
