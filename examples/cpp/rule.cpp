#include "rule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

static double score_as(std::span<const float> cosines, size_t claimed, double margin, double scale) {
    std::vector<double> logits(cosines.begin(), cosines.end());
    const double cosine = logits[claimed];
    const double sine = std::sqrt(std::max(1.0 - cosine * cosine, 1e-12));
    logits[claimed] = cosine > std::cos(std::numbers::pi - margin)
                          ? cosine * std::cos(margin) - sine * std::sin(margin)
                          : cosine - margin * std::sin(std::numbers::pi - margin);
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (double logit : logits)
        sum += std::exp(scale * (logit - largest));
    return std::log(sum) + scale * (largest - logits[claimed]);
}

double score_of(std::span<const float> cosines, const std::vector<size_t>& classes, double margin,
                double scale) {
    double smallest = std::numeric_limits<double>::infinity();
    for (size_t claimed : classes)
        smallest = std::min(smallest, score_as(cosines, claimed, margin, scale));
    return smallest;
}
