// Builds the atlas from runs of the contrast set that are there already, so that who needs both runs it once.
//
//   const ContrastRuns runs = run_contrast_set(CaseRunner(decoder), set, {.seed = 1}, progress, nullptr);
//   const HeadAtlas atlas = build_atlas(decoder, set, runs, *embedder, {.seed = 1}, progress, nullptr);
#pragma once

#include "contrast_runs.h"
#include "openbook/engine/decoder.h"

namespace openbook::attribution {

// `runs` are of `contrast_set`, `decoder` and `options.seed`; options.max_facts has done its work by then. Throws as the other
// build_atlas does.
HeadAtlas build_atlas(const engine::Decoder& decoder, const ContrastSet& contrast_set, const ContrastRuns& runs,
                      const Embedder& embedder, const AtlasBuildOptions& options, const Progress& progress,
                      const Cancellation* cancellation);

}  // namespace openbook::attribution
