// An attention head, written L18H6.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace openbook::engine {

struct ModelConfig;

struct HeadId {
  int32_t layer = 0;
  int32_t head = 0;  // query head within the layer

  auto operator<=>(const HeadId&) const = default;
};

std::string to_string(HeadId head);           // "L18H6"
HeadId parse_head_id(std::string_view text);  // throws invalid_argument

// Throws invalid_argument, naming the head and the model's sizes, when the model has no such head.
void require_head(HeadId head, const ModelConfig& config);

}  // namespace openbook::engine
