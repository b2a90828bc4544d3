#include "judge/monitor.h"

#include <algorithm>

namespace openbook::guard {
namespace {

// Probe heads first, so that the probe's evidence is a prefix of what is read.
std::vector<engine::HeadId> tapped_heads(const attribution::HeadAtlas& atlas) {
  std::vector<engine::HeadId> heads = atlas.probe.heads;
  for (const engine::HeadId head : atlas.localizer.heads)
    if (std::find(heads.begin(), heads.end(), head) == heads.end()) heads.push_back(head);
  return heads;
}

at::Tensor rows_of(const std::vector<engine::HeadId>& wanted, const std::vector<engine::HeadId>& tapped, at::Device device) {
  std::vector<int64_t> rows;
  for (const engine::HeadId head : wanted) rows.push_back(std::find(tapped.begin(), tapped.end(), head) - tapped.begin());
  return at::tensor(rows, at::kLong).to(device);
}

}  // namespace

HeadMonitor::HeadMonitor(std::shared_ptr<const engine::Model> model, const attribution::HeadAtlas& atlas)
    : reader_(model, tapped_heads(atlas)),
      probe_(atlas.probe),
      localizer_(atlas.localizer),
      localizer_rows_(rows_of(localizer_.heads, reader_.heads(), model->device())) {}

WatchedPassages::WatchedPassages(const engine::Tokenizer& tokenizer, const engine::Prompt& prompt)
    : readable_(prompt.readable()), spelling_(tokenizer, prompt.passage_ids()) {}

TokenObservation HeadMonitor::observe(const engine::Session& session, const WatchedPassages& passages,
                                      engine::TokenId token) const {
  TokenObservation observation;
  observation.id = token;
  observation.evidence = reader_.read(*session.taps(), token);
  observation.evidence.resize(probe_.heads.size());
  attribution::Look look;
  if (!passages.readable_.empty())
    look = localizer_.look(session.taps()->pattern().index_select(0, localizer_rows_), passages.readable_,
                           passages.spelling_.like(token));
  observation.evidence.push_back(look.echo);
  observation.attention = std::move(look.attention);
  observation.probability_first = probe_.probability_copied(observation.evidence, true);
  observation.probability_continuation = probe_.probability_copied(observation.evidence, false);
  return observation;
}

}  // namespace openbook::guard
