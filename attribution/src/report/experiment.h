// What every experiment of the atlas report gets, and what it gives.
//
// An experiment is a function from a laboratory to one JSON object. It is deterministic in (model, data, seed, quick): the
// report's parts are kept one by one, and a report that was killed goes on with the part that was missing. What a part holds, all
// fields optional:
//
//   "figures":  [{"name", "label", "estimate": Estimate, "goal", "paper", ...}]   the numbers that the part exists for. Estimates
//   (statistics.h) have value, 95 % interval
//               clustered by subject and sample size; "goal" and "paper" are short texts such as ">= 0.98" and "94.75 %
//               (Llama-3.1-8B)"
//               of a comparison of labels also "copied" and "recited", how many there were
//   "tables":   [{"title", "columns": [text], "rows": [[text, number or Estimate]]}], where wanted also "n", cases that every row
//               counts, and "note", a text below
//   "charts":   [{"kind": "lines",    "title", "x", "y", "series": [{"name", "color", "points": [[x, y]] or [[x, y, low,
//   high]]}]},
//                {"kind": "scatter",  "title", "x", "y", "series": [{"name", "color", "points": [[x, y]]}]},
//                {"kind": "head_map", "title", "layers", "heads", "cells": [{"layer", "head", "color", "strength": 0 .. 1}]},
//                {"kind": "heat_text","title", "tokens": [[text, weight 0 .. 1]]}]
//               where wanted also "note", a text below; a head_map "legend": {color: what it stands for}. Colors are names of
//               roles or series: "task", "retrieval", "parametric", "in_context", "random", "least", "copied", "recited",
//               "other". Series that ask for one color, or for the color of a label that isn't theirs, are told apart by others.
//   "left_out": [text]   what could not be done, by this model or for want of data: why, and what would do; never a made-up
//   number anything else        raw numbers, for readers of the JSON
//
// Names in it may be raw ("in_context", "birth_date"); the page shows them as readers know them (names.h).
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "contrast_runs.h"
#include "openbook/attribution/contrast_set.h"
#include "openbook/base/cancellation.h"
#include "openbook/base/embedder.h"
#include "openbook/engine/decoder.h"
#include "report/biographies.h"

namespace openbook::attribution {

using Json = nlohmann::ordered_json;

// Not thread-safe; everything it points to must outlive it.
struct Laboratory {
  const engine::Decoder* decoder = nullptr;
  const ContrastSet* facts = nullptr;
  const Biographies* biographies = nullptr;  // parts that need it say so when it is missing
  const Embedder* embedder = nullptr;
  const ContrastRuns* runs = nullptr;  // of `facts`
  const HeadAtlas* atlas = nullptr;    // built from `runs`
  std::filesystem::path data;          // public evaluation data (conflict.jsonl ...); empty: parts that need it say so
  bool quick = false;                  // samples that two CPU cores manage in minutes
  uint64_t seed = 1;
  Progress progress;  // may be empty
  const Cancellation* cancellation = nullptr;

  const engine::Model& model() const { return decoder->model(); }
  void report(const std::string& stage, int64_t done, int64_t total) const {
    if (progress) progress(stage, done, total);
  }
  void check() const {
    if (cancellation) cancellation->check();
  }
  // How many of a sample: `whole` in a full report, `quick_sample` in a quick one.
  int64_t sample(int64_t whole, int64_t quick_sample) const { return quick ? quick_sample : whole; }
};

// One of a part's "figures"; without a goal or a paper's number it has no such key.
inline Json figure(const std::string& name, const std::string& label, const Json& estimate, const std::string& goal = "",
                   const std::string& paper = "") {
  Json json = {{"name", name}, {"label", label}, {"estimate", estimate}};
  if (!goal.empty()) json["goal"] = goal;
  if (!paper.empty()) json["paper"] = paper;
  return json;
}

// Seconds on SmolLM2, one H100 for a whole report and two CPU cores for a quick one (docs/measurements.md). On another machine or
// model it is their ratios that tell how much of a report is left.
struct Cost {
  double whole = 0, quick = 0;
};

struct Experiment {
  std::string name;  // file name of the part and anchor of the page: "roles", "surgery", ...
  std::string title;
  std::string about;  // for readers: what was done, on what data, how to read it; 2 to 5 sentences, up to 500 bytes
  std::function<Json(const Laboratory&)> run;
  Cost cost = {};
};

}  // namespace openbook::attribution
