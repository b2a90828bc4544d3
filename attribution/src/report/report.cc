#include "report/report.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "atlas_from_runs.h"
#include "date.h"
#include "openbook/base/file.h"
#include "report/page.h"
#include "report/report_folder.h"

namespace openbook::attribution {
namespace {

constexpr int kReportVersion = 1;
constexpr Cost kGroundwork{24, 213};  // as an experiment's

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point began) {
  return std::round(std::chrono::duration<double>(Clock::now() - began).count() * 10) / 10;
}

std::string about(double seconds) {
  if (seconds >= 90) return std::to_string(std::lround(seconds / 60)) + " min";
  return std::to_string(std::max(1L, std::lround(seconds / 10)) * 10) + " s";
}

int64_t facts_used(const Laboratory& laboratory, const ReportOptions& options) {
  if (options.max_facts > 0) return options.max_facts;
  return laboratory.quick ? kQuickFacts : 0;
}

// What the numbers of a report depend on. Devices sum in different orders: parts of two of them would rest on two atlases.
Json key_of(const Laboratory& laboratory, const ReportOptions& options) {
  const engine::Model& model = laboratory.model();
  return {{"model", model.fingerprint()},
          {"embedder", laboratory.embedder->fingerprint()},
          {"contrast_set", laboratory.facts->sha256},
          {"biographies", laboratory.biographies ? laboratory.biographies->sha256() : ""},
          {"max_facts", facts_used(laboratory, options)},
          {"seed", laboratory.seed},
          {"quick", laboratory.quick},
          {"dtype", model.dtype() == at::kBFloat16 ? "bfloat16" : "float32"},
          {"device", model.device().is_cuda() ? "cuda" : "cpu"},
          {"data", hashes_of_files(laboratory.data)}};
}

std::vector<std::string> names_of(const std::vector<Experiment>& experiments, const std::vector<std::string>& only) {
  std::vector<std::string> names;
  std::string known;
  for (const Experiment& experiment : experiments) {
    const bool plain = experiment.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    if (experiment.name.empty() || !plain || std::count(names.begin(), names.end(), experiment.name))
      throw Error(Code::kInvalidArgument, "atlas report: \"" + experiment.name +
                                              "\" can't name a part: lower-case letters, digits and _, each name once");
    names.push_back(experiment.name);
    known.append(known.empty() ? "" : ", ").append(experiment.name);
  }
  for (const std::string& name : only)
    if (!std::count(names.begin(), names.end(), name))
      throw Error(Code::kInvalidArgument, "atlas report: there is no part \"" + name + "\"", "The parts are: " + known + ".");
  return names;
}

// JSON as it comes back from a file: what is not UTF-8 is replaced, and what is not a finite number is null.
Json as_stored(const Json& json) { return Json::parse(json.dump(-1, ' ', false, Json::error_handler_t::replace)); }

Json left_out(const Error& error) {
  return {{"left_out", Json::array({std::string(error.what()) + (error.hint().empty() ? "" : ". " + error.hint())})}};
}

// No part can do without: free answers need no contrast facts of their own, but they are judged under the atlas too.
Error without_atlas(const Error& why, int64_t max_facts) {
  std::string hint = why.hint();
  if (max_facts > 0)
    hint.append(hint.empty() ? "" : " ")
        .append("At most " + std::to_string(max_facts) + " facts were run: a larger --max-facts, or no --quick, asks for more.");
  return Error(why.code(),
               std::string("atlas report: no atlas can be made of this model: ") + why.what() +
                   ". Every part reads the model through its atlas, free answers too, so none was begun",
               hint);
}

class Report {
 public:
  Report(const Laboratory& laboratory, const std::vector<Experiment>& experiments, const ReportOptions& options,
         const LayGroundwork& lay)
      : laboratory_(laboratory),
        experiments_(experiments),
        options_(options),
        lay_(lay),
        names_(names_of(experiments, options.only)),
        key_(key_of(laboratory, options)),
        folder_(options.out, key_, names_, options.restart) {
    options_.max_facts = facts_used(laboratory, options);
    if (options_.device_name.empty()) options_.device_name = laboratory.model().device().str();
  }

  Json write() {
    for (const Experiment& experiment : experiments_)
      if (due(experiment)) cost_left_ += cost_of(experiment.cost);
    for (size_t i = 0; i < experiments_.size(); ++i)
      if (due(experiments_[i])) run(experiments_[i], i);
    Json report = gather();
    write_file_atomically(folder_.path() / "report.json", report.dump(1) + "\n");
    write_file_atomically(folder_.path() / "report.html", report_page(report));
    return report;
  }

 private:
  bool due(const Experiment& experiment) const {
    if (!options_.only.empty() && !std::count(options_.only.begin(), options_.only.end(), experiment.name)) return false;
    const std::optional<Part> kept = folder_.part(experiment.name);
    return !kept || kept->left_out;
  }

  double cost_of(const Cost& cost) const { return laboratory_.quick ? cost.quick : cost.whole; }
  void spend(const Cost& cost, double seconds) {
    spent_ += seconds;
    cost_spent_ += cost_of(cost);
  }
  std::string left() const;
  void run(const Experiment& experiment, size_t index);
  Json result_of(const Experiment& experiment, const Laboratory& bench, bool& was_left_out) const;
  double prepare();
  Laboratory bench(const std::string& stage) const;
  Json gather() const;

  Laboratory laboratory_;
  const std::vector<Experiment>& experiments_;
  ReportOptions options_;
  const LayGroundwork& lay_;
  std::vector<std::string> names_;
  Json key_;
  ReportFolder folder_;
  std::unique_ptr<Groundwork> groundwork_;  // once a part needs it
  double spent_ = 0, cost_spent_ = 0;       // of what this run has done: seconds, and what Cost says
  double cost_left_ = 0;                    // of the parts that are due
};

// Of the whole report, from what this run took so far; nothing before that says something.
std::string Report::left() const {
  if (cost_spent_ == 0 || cost_left_ == 0) return "";
  return " (about " + about(spent_ / cost_spent_ * cost_left_) + " left in all)";
}

// The laboratory as an experiment sees it; its progress says which part it is.
Laboratory Report::bench(const std::string& stage) const {
  Laboratory bench = laboratory_;
  if (groundwork_) {
    bench.runs = &groundwork_->runs;
    bench.atlas = &groundwork_->atlas;
  }
  if (laboratory_.progress)
    bench.progress = [this, stage, left = left()](const std::string& step, int64_t done, int64_t total) {
      laboratory_.progress(stage + ": " + step + left, done, total);
    };
  return bench;
}

// Seconds that it took; 0 when it was there.
double Report::prepare() {
  if (groundwork_) return 0;
  const auto began = Clock::now();
  std::optional<HeadAtlas> kept = folder_.atlas();
  const bool build = !kept;
  try {
    groundwork_ = lay_(bench("groundwork"), options_, std::move(kept));
  } catch (const Error& error) {
    if (error.code() != Code::kFailedPrecondition) throw;
    throw without_atlas(error, options_.max_facts);
  }
  if (build) folder_.keep(groundwork_->atlas);
  const double seconds = seconds_since(began);
  spend(kGroundwork, seconds);
  return seconds;
}

Json Report::result_of(const Experiment& experiment, const Laboratory& bench, bool& was_left_out) const {
  try {
    return as_stored(experiment.run(bench));
  } catch (const Error& error) {
    if (error.code() == Code::kFailedPrecondition || error.code() == Code::kNotFound) {
      was_left_out = true;
      return as_stored(left_out(error));
    }
    if (error.code() == Code::kCancelled) throw;
    throw Error(error.code(), "atlas report, part " + experiment.name + ": " + error.what(), error.hint());
  } catch (const std::bad_alloc&) {
    throw Error(Code::kResourceExhausted, "atlas report, part " + experiment.name + ": out of memory",
                "The parts before it are kept.");
  } catch (const std::exception& error) {  // libtorch's and the JSON library's; their messages run over many lines
    const std::string message = error.what();
    throw Error(Code::kInternal, "atlas report, part " + experiment.name + ": " + message.substr(0, message.find('\n')),
                "The parts before it are kept.");
  }
}

void Report::run(const Experiment& experiment, size_t index) {
  laboratory_.check();
  const double groundwork_seconds = prepare();
  const auto began = Clock::now();
  const Laboratory here =
      bench("part " + std::to_string(index + 1) + " of " + std::to_string(experiments_.size()) + ", " + experiment.name);
  here.report("begins", 0, 1);
  Part part{.name = experiment.name, .title = experiment.title};
  part.result = result_of(experiment, here, part.left_out);
  const double seconds = seconds_since(began);
  part.made = {
      {"date", date_now()}, {"device", options_.device_name}, {"groundwork_seconds", groundwork_seconds}, {"seconds", seconds}};
  folder_.keep(part);
  spend(experiment.cost, seconds);
  cost_left_ -= cost_of(experiment.cost);
}

// Every part in order, with what was finished by earlier runs.
Json Report::gather() const {
  Json parts = Json::array(), times = Json::object();
  std::string date;
  std::vector<std::string> devices;  // a long report may be made in pieces, on several machines
  double seconds = 0;
  for (const Experiment& experiment : experiments_) {
    const std::optional<Part> kept = folder_.part(experiment.name);
    Json part = {{"name", experiment.name},
                 {"title", experiment.title},
                 {"about", experiment.about},
                 {"state", !kept            ? "missing"
                           : kept->left_out ? "left_out"
                                            : "finished"}};
    if (kept) {
      part["result"] = kept->result;
      times[experiment.name] = kept->made;
      seconds += kept->made["seconds"].get<double>() + kept->made["groundwork_seconds"].get<double>();
      date = std::max(date, kept->made["date"].get<std::string>());
      const std::string device = kept->made["device"];
      if (std::find(devices.begin(), devices.end(), device) == devices.end()) devices.push_back(device);
    }
    parts.push_back(std::move(part));
  }
  std::string made_on;
  for (const std::string& device : devices) made_on += (made_on.empty() ? "" : ", ") + device;
  const std::optional<HeadAtlas> atlas = folder_.atlas();
  const engine::Model& model = laboratory_.model();
  return {{"format", "openbook atlas report"},
          {"version", kReportVersion},
          {"model",
           {{"name", model.folder().filename().string()},
            {"fingerprint", model.fingerprint()},
            {"layers", model.config().layers},
            {"heads", model.config().heads}}},
          {"key", key_},
          {"parts", std::move(parts)},
          {"made",
           {{"date", date},
            {"device", made_on},
            {"command", options_.command},
            {"atlas", atlas ? Json(atlas->fingerprint()) : Json()},
            {"seconds", std::round(seconds * 10) / 10},
            {"parts", std::move(times)}}}};
}

}  // namespace

std::unique_ptr<Groundwork> lay_groundwork(const Laboratory& laboratory, const ReportOptions& options,
                                           std::optional<HeadAtlas> kept) {
  auto groundwork = std::make_unique<Groundwork>();
  const ContrastRunOptions running{.max_facts = options.max_facts, .seed = laboratory.seed};
  groundwork->runs =
      run_contrast_set(CaseRunner(*laboratory.decoder), *laboratory.facts, running, laboratory.progress, laboratory.cancellation);
  const AtlasBuildOptions building{.seed = laboratory.seed, .max_facts = options.max_facts, .command = options.command};
  groundwork->atlas = kept ? std::move(*kept)
                           : build_atlas(*laboratory.decoder, *laboratory.facts, groundwork->runs, *laboratory.embedder, building,
                                         laboratory.progress, laboratory.cancellation);
  return groundwork;
}

Json write_report(const Laboratory& laboratory, const std::vector<Experiment>& experiments, const ReportOptions& options,
                  const LayGroundwork& lay) {
  return Report(laboratory, experiments, options, lay).write();
}

}  // namespace openbook::attribution
