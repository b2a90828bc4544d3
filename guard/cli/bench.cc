// openbook bench decode: how fast answers are decoded here, how near to what memory allows, and what the guard adds.
#include <fstream>

#include "judge/monitor.h"
#include "openbook/base/error.h"
#include "openbook/engine/benchmark.h"
#include "options.h"
#include "terminal.h"
#include "verbs.h"

namespace openbook::cli {
namespace {

using Json = nlohmann::ordered_json;

struct BenchFlags {
  std::string model, atlas, device = "cpu", dtype = "bfloat16", guarded = "on";
  engine::DecodeBenchmarkOptions decode{.threads = 2};
};

// As Linux names it; empty where it doesn't.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.find(": ") + 2, line.size()));
  return {};
}

// A prompt of nothing but passage: every position that can be looked at is.
engine::Prompt passage_of(int64_t tokens, int64_t vocabulary) {
  engine::Prompt prompt;
  for (int64_t i = 0; i < tokens; ++i) prompt.tokens.push_back(static_cast<engine::TokenId>(i % vocabulary));
  prompt.sources.assign(static_cast<size_t>(tokens), {.passage = 0});
  prompt.all_passages = {0, tokens};
  return prompt;
}

Json as_json(const engine::DecodeBenchmark& result, const BenchFlags& flags, const engine::Model& model) {
  Json json = {{"bench", "decode"},
               {"processor", processor_name()},
               {"device", model.device().str()},
               {"threads", result.threads},
               {"dtype", flags.dtype},
               {"model", model.fingerprint()},
               {"prompt_tokens", flags.decode.prompt_tokens},
               {"decode_tokens", flags.decode.decode_tokens},
               {"repeats", flags.decode.repeats},
               {"prefill_tokens_per_second", result.prefill_tokens_per_second},
               {"decode_tokens_per_second", result.decode_tokens_per_second},
               {"weight_bytes", result.bytes_read_per_token},
               {"read_bytes_per_second", result.read_bytes_per_second},
               {"memory_floor_tokens_per_second", result.memory_floor_tokens_per_second()},
               {"share_of_memory_floor", result.share_of_memory_floor()},
               {"guard_cost", nullptr}};
  if (result.observed_decode_seconds > 0) json["guard_cost"] = result.observation_cost();
  return json;
}

std::string number(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string as_text(const engine::DecodeBenchmark& result, const BenchFlags& flags, const engine::Model& model) {
  std::string text = flags.dtype + " on " + model.device().str() + ", " +
                     plural(static_cast<uint64_t>(result.threads), "thread") + ": " + processor_name() + "\n";
  text += "prefill    " + number(result.prefill_tokens_per_second, 1) + " tokens/s, " +
          plural(static_cast<uint64_t>(flags.decode.prompt_tokens), "token") + "\n";
  text += "decode     " + number(result.decode_tokens_per_second, 1) + " tokens/s, " +
          plural(static_cast<uint64_t>(flags.decode.decode_tokens), "token") + " after them\n";
  text += "memory     " + number(result.memory_floor_tokens_per_second(), 1) +
          " tokens/s at most: " + number(result.bytes_read_per_token / 1e6, 1) + " MB of weights a token, read at " +
          number(result.read_bytes_per_second / 1e9, 1) + " GB/s; reached " + number(100 * result.share_of_memory_floor(), 1) +
          " %\n";
  if (result.observed_decode_seconds > 0)
    text += "guard      " + number(100 * result.observation_cost(), 1) + " % longer a token, with taps, probe and localizer\n";
  return text;
}

int bench_decode(const BenchFlags& flags, Context& context) {
  const auto model = engine::Model::load(find(Place::kModel, flags.model).path, {.device = flags.device, .dtype = flags.dtype});
  const engine::Decoder decoder(model);
  engine::DecodeBenchmarkOptions options = flags.decode;
  std::optional<guard::HeadMonitor> monitor;
  std::optional<guard::WatchedPassages> passages;
  if (flags.guarded == "on") {
    const auto atlas = attribution::HeadAtlas::load(find(Place::kAtlas, flags.atlas).path);
    atlas.require_model(*model);
    monitor.emplace(model, atlas);
    passages.emplace(model->tokenizer(), passage_of(options.prompt_tokens, model->config().vocabulary));
    options.tapped = monitor->heads();
    options.observe = [&](const engine::Session& session, engine::TokenId token) { monitor->observe(session, *passages, token); };
  }
  const engine::DecodeBenchmark result = engine::run_decode_benchmark(decoder, options, &context.cancellation);
  if (context.json())
    print_json(as_json(result, flags, *model));
  else
    print(as_text(result, flags, *model));
  return kDone;
}

}  // namespace

void add_bench(CLI::App& app, Context& context) {
  CLI::App* group = add_group(app, "bench", "Measures speed on this machine.", "openbook bench decode --threads 2");
  auto flags = std::make_shared<BenchFlags>();
  CLI::App* verb = add_verb(
      *group, context, "decode",
      "Reads a prompt of random tokens and decodes after it. Prints the speed of both, the share of what memory allows, and what "
      "watching each token for the guard adds.",
      "openbook bench decode --threads 2\nopenbook bench decode --dtype float32 --prompt-tokens 2048 --format json");
  add_place(*verb, Place::kModel, flags->model);
  add_place(*verb, Place::kAtlas, flags->atlas);
  verb->add_option("--device", flags->device, "cpu, cuda, cuda:N, or auto: CUDA where there is a device")->capture_default_str();
  verb->add_option("--dtype", flags->dtype, "of weights and activations")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str();
  verb->add_option("--threads", flags->decode.threads, "of the CPU; 0: one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb->add_option("--prompt-tokens", flags->decode.prompt_tokens, "to be read")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  verb->add_option("--decode-tokens", flags->decode.decode_tokens, "to be written, greedily")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  verb->add_option("--repeats", flags->decode.repeats, "the fastest counts, of every token")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb->add_option("--guard", flags->guarded, "off: needs no atlas, leaves out what the guard adds")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  verb->callback([flags, &context] { context.run = [flags, &context] { return bench_decode(*flags, context); }; });
}

}  // namespace openbook::cli
