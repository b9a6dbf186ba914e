// The scoring rule arcface_cross_entropy: cosines of one clip to its score.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

// Nats, higher is more anomalous; of several classes of a machine the smallest score counts.
double score_of(std::span<const float> cosines, const std::vector<size_t>& classes, double margin,
                double scale);
