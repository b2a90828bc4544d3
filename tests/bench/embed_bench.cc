// Speed of the text encoder: embed_bench MODEL_FOLDER TEXTS.jsonl [THREADS] [TEXTS]
//
// Embeds the "text" field of each line, cut into pieces of about 600 bytes as the chunker would, and prints the best of three
// runs. embed_baseline.py does the same in transformers.
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "openbook/engine/text_encoder.h"

namespace {

constexpr size_t kPieceBytes = 600;

std::vector<std::string> pieces_of(const char* path, size_t most) {
  std::vector<std::string> pieces;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::string text = nlohmann::json::parse(line).at("text");
    for (size_t begin = 0; begin < text.size() && pieces.size() < most;) {
      size_t end = std::min(text.size(), begin + kPieceBytes);
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;  // keep code points whole
      pieces.push_back(text.substr(begin, end - begin));
      begin = end;
    }
  }
  return pieces;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: embed_bench MODEL_FOLDER TEXTS.jsonl [THREADS] [TEXTS]\n");
    return 2;
  }
  at::set_num_threads(count > 3 ? std::atoi(arguments[3]) : 2);
  const std::vector<std::string> texts = pieces_of(arguments[2], count > 4 ? std::strtoul(arguments[4], nullptr, 10) : 256);
  const auto encoder = openbook::engine::TextEncoder::load(arguments[1]);
  int64_t tokens = 0;
  for (const std::string& text : texts) tokens += std::min(encoder->count_tokens(text), encoder->max_tokens());
  double best = 1e9;
  for (int run = 0; run < 3; ++run) {
    const auto start = std::chrono::steady_clock::now();
    encoder->embed(texts);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::printf("embed: %zu texts, %lld tokens, %.1f texts/s, %.0f tokens/s\n", texts.size(), static_cast<long long>(tokens),
              texts.size() / best, tokens / best);
  return 0;
}
