// An atlas of a model of 2 layers of 3 heads, valid and with every field set.
#pragma once

#include <cmath>

#include "openbook/attribution/head_atlas.h"

namespace openbook::test {

inline attribution::HeadAtlas small_atlas() {
  attribution::HeadAtlas atlas;
  atlas.model_fingerprint = std::string(64, 'a');
  atlas.model_name = "tiny \"llama\"";
  atlas.layers = 2;
  atlas.heads = 3;
  atlas.in_context = {{1, 2}, {0, 1}};
  atlas.parametric = {{0, 0}};
  atlas.retrieval = {{1, 2}};
  atlas.difference_score = {0.1, -0.2, 1.0 / 3, 0, 1e-300, 5};
  atlas.task_score = atlas.retrieval_score = std::vector<double>(6, 0.5);
  atlas.probe = {.heads = {{1, 2}, {0, 1}},
                 .mean = {0.1f, -3, 0.2f},
                 .scale = {1e-3f, 7, 0.1f},
                 .weights = {0.7f, -0.3f, 0.5f},
                 .bias = 0.123456789f};
  atlas.probe.first_token = {.slope = 1.1, .offset = -0.3};
  atlas.localizer = {.heads = {{1, 2}, {1, 0}}, .weights = {0.6f, 0.4f}, .nowhere_below = 0.02f};
  atlas.first_token = {.copied_above = 0.9, .recited_below = 0.2, .recited_passed_bound = 0.0099, .recited_cases = 412};
  atlas.steering = {.retrieval_heads = {{1, 2}}, .bias = 3, .parametric_heads = {{0, 0}}, .gain = 0.25f};
  atlas.causal_nats = 1.5;
  atlas.topic_similarity = 0.4;
  atlas.validation = {{.setting = "bare", .copied = 90, .recited = 80, .auc = 0.98, .place_top1 = 0.97},
                      {.setting = "silent", .copied = 0, .recited = 70, .auc = NAN, .place_top1 = NAN}};
  atlas.provenance = {{"seed", "1"}, {"date", "2025-11-24"}};
  return atlas;
}

}  // namespace openbook::test
