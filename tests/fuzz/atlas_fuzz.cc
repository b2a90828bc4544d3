// A head atlas. The input is its content: the envelope with the right checksum is put around it here, or fuzzing would end there.
// An input that begins with the separator is a whole file.
#include <nlohmann/json.hpp>

#include "fuzz.h"
#include "openbook/attribution/head_atlas.h"
#include "openbook/base/hash.h"

void openbook::fuzz::run(std::string_view input) {
  if (input.starts_with('\x1E')) {
    attribution::HeadAtlas::load(file("atlas.json", input.substr(1)));
    return;
  }
  const auto content = nlohmann::json::parse(input, nullptr, /*allow_exceptions=*/false);
  if (content.is_discarded()) return;
  const std::string canonical = content.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::string whole = R"({"format":"openbook head atlas","version":)" + std::to_string(attribution::HeadAtlas::kVersion) +
                            R"(,"sha256":")" + sha256_hex(canonical) + R"(","content":)" + canonical + "}";
  const auto atlas = attribution::HeadAtlas::load(file("atlas.json", whole));
  for (const engine::HeadId head : atlas.retrieval)
    require(head.layer < atlas.layers && head.head < atlas.heads, "heads are the model's");
  atlas.save(folder() / "saved.json");
  require(attribution::HeadAtlas::load(folder() / "saved.json").fingerprint() == atlas.fingerprint(),
          "what is saved is what was read");
}
