// Scores WAV files by the network of a model file: osscl_score MODEL MACHINE WAV...
#include <onnxruntime_cxx_api.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "container.hpp"
#include "graph.hpp"
#include "manifest.hpp"
#include "refused.hpp"
#include "rule.hpp"
#include "wav.hpp"

namespace {

std::string content_of(const std::string& path) {
    if (!std::filesystem::is_regular_file(path))
        throw Refused("there is no file of that name");
    std::ifstream file(path, std::ios::binary);
    std::string content(std::filesystem::file_size(path), '\0');
    if (!file.read(content.data(), static_cast<std::streamsize>(content.size())))
        throw Refused("cannot be read");
    return content;
}

Manifest checked_manifest(std::string_view model) {
    const Container container = read_container(model);
    Manifest manifest = read_manifest(container.manifest);
    if (container.graph_sha256 != manifest.graph_sha256)
        throw Refused("the graph has another SHA-256 than the manifest says: it is damaged, copy it anew");
    refuse_unsafe(model);
    check_values(container.graph, manifest);
    return manifest;
}

double score_clip(Ort::Session& session, const Manifest& manifest, const std::vector<size_t>& classes,
                  std::vector<float> samples) {
    const int64_t shape[] = {1, manifest.n_samples};
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    const auto waveform = Ort::Value::CreateTensor<float>(memory, samples.data(), samples.size(), shape, 2);
    const char *inputs[] = {"waveform"}, *outputs[] = {"cosine"};
    const auto results = session.Run(Ort::RunOptions{nullptr}, inputs, &waveform, 1, outputs, 1);
    return score_of({results[0].GetTensorData<float>(), manifest.classes.size()}, classes, manifest.margin,
                    manifest.scale);
}

// Says which file is meant; 1 where it is refused, else what `work` gives.
template <typename Work> int told(const std::string& path, Work work) {
    try {
        return work();
    } catch (const Refused& refused) {
        std::fprintf(stderr, "%s: %s\n", path.c_str(), refused.what());
    } catch (const Ort::Exception& error) {
        std::fprintf(stderr, "%s: ONNX Runtime: %s\n", path.c_str(), error.what());
    }
    return 1;
}

int score_all(const std::string& path, const std::string& machine, int n_files, char** files) {
    const std::string model = content_of(path);
    const Manifest manifest = checked_manifest(model);
    const std::vector<size_t> classes = manifest.classes_of(machine);
    Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "osscl_score");
    Ort::Session session(env, model.data(), model.size(), Ort::SessionOptions{});
    int worst = 0;
    for (int each = 0; each < n_files; ++each)
        worst |= told(files[each], [&] {
            auto samples = read_wav(content_of(files[each]), manifest.sample_rate_hz, manifest.n_samples);
            std::printf("%s %.8g\n", files[each], score_clip(session, manifest, classes, std::move(samples)));
            return 0;
        });
    return worst;
}

} // namespace

int main(int n_words, char** words) {
    if (n_words < 4) {
        std::fprintf(stderr, "usage: %s MODEL MACHINE WAV...\n", words[0]);
        return 2;
    }
    setenv("ORT_DISABLE_TELEMETRY", "1", 0); // before the runtime begins; whoever set it otherwise is heard
    return told(words[1], [&] { return score_all(words[1], words[2], n_words - 3, words + 3); });
}
