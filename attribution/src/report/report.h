// The atlas report: every experiment run on one model, each finished part kept, and at the end one JSON file and one HTML page.
//
// A folder belongs to one report: model, data, seed and whatever else its numbers depend on stand in every file (docs/atlas.md).
// A second run goes on with the parts that are missing; the contrast set is run again only when one of them needs it. Numbers
// stand apart from dates and times: what a report says but for its "made" fields is the same, byte for byte, whether it was
// interrupted or not.
//
//   const Laboratory laboratory{.decoder = &decoder, .facts = &facts, .embedder = embedder.get(), .data = "../shared/data",
//   .quick = true}; const Json report = write_report(laboratory, atlas_experiments(), {.out = "build/report"});
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "openbook/attribution/head_atlas.h"
#include "report/experiment.h"

namespace openbook::attribution {

struct ReportOptions {
  std::filesystem::path out;      // folder; made when it is not there
  int64_t max_facts = 0;          // of the contrast set; 0: all, or kQuickFacts in a quick report
  std::vector<std::string> only;  // parts to run; empty: all. The report shows whatever is finished
  bool restart = false;           // removes what an earlier report left in `out` first
  std::string command;            // recorded
  std::string device_name;        // recorded, such as "NVIDIA H100"; empty: the name that libtorch gives it
};

// Of the contrast set, in a quick report: enough that both labels occur often enough on each split to build an atlas of SmolLM2.
inline constexpr int64_t kQuickFacts = 160;

// What experiments stand on.
struct Groundwork {
  ContrastRuns runs;
  HeadAtlas atlas;
};
// Makes it. `kept` is the atlas that an earlier run of this report wrote; nothing: it is built.
using LayGroundwork =
    std::function<std::unique_ptr<Groundwork>(const Laboratory&, const ReportOptions&, std::optional<HeadAtlas> kept)>;
std::unique_ptr<Groundwork> lay_groundwork(const Laboratory& laboratory, const ReportOptions& options,
                                           std::optional<HeadAtlas> kept);

// `laboratory` comes without runs and atlas. Returns what report.json holds. An experiment that throws failed_precondition or
// not_found is left out, says why, and is tried again by the next run; whatever else it throws ends the report, and so does a
// model that no atlas can be built of (failed_precondition). Throws invalid_argument for an unknown part in `only` and for
// experiments that share a name, failed_precondition when `out` holds a report of something else, data_loss when a kept part was
// changed, cancelled. Finished parts stay in every case.
Json write_report(const Laboratory& laboratory, const std::vector<Experiment>& experiments, const ReportOptions& options,
                  const LayGroundwork& lay = lay_groundwork);

}  // namespace openbook::attribution
