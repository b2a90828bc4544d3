#include "report/tracked_places.h"

#include "calibration.h"

namespace openbook::attribution {

std::optional<int64_t> best_readable(const at::Tensor& scores, const std::vector<bool>& readable) {
  const at::Tensor values = scores.to(at::kDouble).contiguous();
  const double* score = values.const_data_ptr<double>();
  std::optional<int64_t> best;
  for (int64_t i = 0; i < values.numel(); ++i)
    if (readable[static_cast<size_t>(i)] && (!best || score[i] > score[*best])) best = i;
  return best;
}

OtherPlaces other_places(const HeadAtlas& atlas, const ObservedCase& observed, const std::vector<float>& lens) {
  const Probe& probe = atlas.probe;
  const HeadColumns probe_columns(atlas.heads, probe.heads);
  const at::Tensor pattern = probe_columns.of(observed.pattern);
  const std::vector<float> evidence = probe_columns.of(observed.evidence.front());
  std::vector<float> weighted;  // what each head adds to the probe's logit
  for (size_t i = 0; i < evidence.size(); ++i) weighted.push_back(probe.weights[i] / probe.scale[i] * evidence[i]);

  OtherPlaces places{.readable = observed.prompt.readable()};
  const std::vector<bool> none_alike(places.readable.size());
  places.unspelt = Localizer::best(
      atlas.localizer.look(HeadColumns(atlas.heads, atlas.localizer.heads).of(observed.pattern), places.readable, none_alike)
          .attention);
  for (size_t i = 0; i < places.readable.size() && !places.first_alike; ++i)
    if (places.readable[i] && observed.alike[i]) places.first_alike = static_cast<int64_t>(i);
  places.mean = best_readable(pattern.mean(0), places.readable);
  places.probe = best_readable(at::matmul(at::tensor(weighted), pattern), places.readable);
  places.lens_attention = pattern * at::tensor(lens).unsqueeze(1);
  return places;
}

}  // namespace openbook::attribution
