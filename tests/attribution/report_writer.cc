// Writes a quick report on the hand-written model that knows capitals: a process that the tests may kill.
//
//   report_writer MODEL OUT [STAGE]
//
// With a STAGE it ends by SIGKILL, which nothing can catch, as soon as that stage reports progress.
#include <csignal>
#include <cstdio>

#include "attribution/knowing_llama.h"
#include "calibration.h"
#include "report/experiments.h"
#include "report/report.h"
#include "retriever/hashing_embedder.h"

int main(int argc, char** argv) {
  using namespace openbook;
  using namespace openbook::attribution;
  if (argc < 3) return 2;
  const std::string last_stage = argc > 3 ? argv[3] : "";
  const ContrastSet facts = test::capital_facts();
  const test::HashingEmbedder embedder;
  // No atlas can be built of two heads.
  const LayGroundwork lay = [&](const Laboratory& lab, const ReportOptions&, std::optional<HeadAtlas> kept) {
    auto groundwork = std::make_unique<Groundwork>();
    groundwork->runs = run_contrast_set(CaseRunner(*lab.decoder), facts, {.seed = lab.seed}, lab.progress, nullptr);
    groundwork->atlas = kept ? *kept : test::reading_atlas(argv[1]);
    if (!kept) groundwork->atlas.validation = {validate_setting(groundwork->atlas, groundwork->runs.labelled, std::nullopt)};
    return groundwork;
  };
  try {
    const engine::Decoder decoder(engine::Model::load(argv[1]));
    write_report({.decoder = &decoder,
                  .facts = &facts,
                  .embedder = &embedder,
                  .quick = true,
                  .progress =
                      [&](const std::string& stage, int64_t, int64_t) {
                        if (!last_stage.empty() && stage.starts_with(last_stage)) std::raise(SIGKILL);
                      }},
                 atlas_experiments(), {.out = argv[2]}, lay);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n%s\n", error.what(), error.hint().c_str());
    return 1;
  }
  return 0;
}
