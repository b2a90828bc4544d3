#include <algorithm>
#include <cctype>
#include <fstream>
#include <set>

#include "eval/free_part.h"
#include "openbook/engine/text_encoder.h"
#include "options.h"
#include "report/experiments.h"
#include "report/page.h"
#include "report/report.h"
#include "terminal.h"
#include "verbs.h"

namespace openbook::cli {
namespace {

using attribution::Json;

struct ReportFlags {
  std::string model, embedder, facts, data, device = "auto", dtype = "float32";
  bool quick = false;
  uint64_t seed = 1;
  attribution::ReportOptions report;
};

std::vector<attribution::Experiment> experiments() {
  std::vector<attribution::Experiment> all = attribution::atlas_experiments();
  all.push_back(guard::free_answers_experiment());
  return all;
}

std::vector<std::string> names_of(const std::vector<attribution::Experiment>& experiments) {
  std::vector<std::string> names;
  for (const attribution::Experiment& experiment : experiments) names.push_back(experiment.name);
  return names;
}

// The value of the first line of `file` that begins with `field`, as in "Model: \t\t NVIDIA H100"; empty when there is none.
std::string field_of(const std::string& file, const std::string& field) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(field)) continue;
    const size_t value = line.find_first_not_of(" \t", std::min(line.find(':') + 1, line.size()));
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

// As the system calls it; empty when it doesn't say.
std::string device_name(const engine::Model& model) {
  if (!model.device().is_cuda()) return field_of("/proc/cpuinfo", "model name");
  std::error_code absent;
  std::set<std::string> models;  // of all cards: which of them is ours is not said there
  for (const auto& card : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", absent))
    models.insert(field_of(card.path() / "information", "Model"));
  return models.size() == 1 ? *models.begin() : "";
}

std::string padded(std::string text, size_t width) {
  size_t columns = 0;
  for (const char byte : text) columns += (byte & 0xC0) != 0x80;
  return text.append(width > columns ? width - columns : 0, ' ');
}

std::string figures_text(const Json& report) {
  std::string text, part;
  for (const attribution::ReportFigure& figure : attribution::figures_of(report)) {
    if (figure.part != part) text += (part = figure.part) + "\n";
    std::string line = "  " + padded(shown(figure.label), 52) + "  " + padded(figure.ours, 34);
    if (!figure.goal.empty()) line += "  goal " + figure.goal;
    if (figure.reached) line += paint(*figure.reached ? Style::kGood : Style::kBad, " " + figure.verdict());
    if (!figure.paper.empty()) line += "  paper " + shown(figure.paper);
    text += line + "\n";
  }
  return text;
}

std::string seconds_text(const Json& seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%9.1f s", seconds.get<double>());
  return text;
}

std::string parts_text(const Json& report) {
  std::string text;
  for (const Json& part : report["parts"]) {
    const std::string name = part["name"], state = part["state"];
    text += padded(name, 14);
    if (report["made"]["parts"].contains(name)) {
      const Json& made = report["made"]["parts"][name];
      text += seconds_text(made["seconds"]);
      if (made["groundwork_seconds"] > 0) text += ", after" + seconds_text(made["groundwork_seconds"]) + " of groundwork";
    }
    if (state == "missing") text += "  not run";
    if (part.contains("result") && part["result"].contains("left_out"))
      for (const Json& reason : part["result"]["left_out"])
        if (reason.is_string())
          text += "\n  " + std::string(state == "left_out" ? "left out: " : "not done: ") + shown(reason.get<std::string>(), 4);
    text += "\n";
  }
  return text + padded("together", 14) + seconds_text(report["made"]["seconds"]) + "\n";
}

int write(const ReportFlags& flags, Context& context) {
  ProgressBar bar;
  const auto model = engine::Model::load(find(Place::kModel, flags.model).path, {.device = flags.device, .dtype = flags.dtype});
  const engine::Decoder decoder(model);
  const auto embedder = engine::TextEncoder::load(find(Place::kEmbedder, flags.embedder).path, flags.device);
  const std::filesystem::path data = find(Place::kFacts, flags.facts).path;
  const auto facts = attribution::ContrastSet::load(data);
  const auto biographies = attribution::Biographies::load(data);
  const attribution::Laboratory laboratory{
      .decoder = &decoder,
      .facts = &facts,
      .biographies = &biographies,
      .embedder = embedder.get(),
      .data = flags.data,
      .quick = flags.quick,
      .seed = flags.seed,
      .progress = [&](const std::string& stage, int64_t done, int64_t total) { bar.update(stage, done, total); },
      .cancellation = &context.cancellation};
  attribution::ReportOptions options = flags.report;
  options.device_name = device_name(*model);
  const Json report = attribution::write_report(laboratory, experiments(), options);
  bar.clear();
  if (context.json()) {
    print_json(report);
    return kDone;
  }
  print(figures_text(report) + "\n" + parts_text(report) + "\n" + shown((options.out / "report.html").string()) +
        " and report.json beside it\n");
  return kDone;
}

// An argument as a POSIX shell reads it.
std::string quoted(const std::string& argument) {
  const bool plain = !argument.empty() && std::all_of(argument.begin(), argument.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string_view("-_./:=,+@%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return argument;
  std::string text = "'";
  for (const char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// What was given, as it was given: run again in the same place, it makes the same report.
std::string command_of(const CLI::App& verb) {
  std::string command = "openbook atlas report";
  for (const CLI::Option* option : verb.get_options()) {
    if (option->count() == 0) continue;
    const std::string name = " --" + option->get_lnames().front();
    if (option->get_items_expected_max() == 0)
      command += name;
    else
      for (const std::string& value : option->results()) command += name + " " + quoted(value);
  }
  return command;
}

}  // namespace

void add_atlas_report(CLI::App& group, Context& context) {
  auto flags = std::make_shared<ReportFlags>();
  CLI::App* verb = add_verb(group, context, "report",
                            "Runs every experiment on a model and writes one page. Finished parts are kept: after an "
                            "interruption the same command goes on with those that are missing.",
                            "openbook atlas report --data ../shared/data --out build/report --quick\nopenbook atlas report --out "
                            "build/report --only roles --only surgery");
  add_place(*verb, Place::kModel, flags->model);
  add_place(*verb, Place::kEmbedder, flags->embedder);
  verb->add_option("--out", flags->report.out, "folder for report.html, report.json, atlas.json and the parts")
      ->type_name("DIR")
      ->required();
  verb->add_option(
          "--data", flags->data,
          "folder of public evaluation data (conflict.jsonl, swap.jsonl, ...); without it parts that need some are left out")
      ->type_name("DIR");
  add_place(*verb, Place::kFacts, flags->facts);
  verb->add_flag("--quick", flags->quick, "small samples: minutes on two CPU cores, and wide intervals");
  verb->add_option("--only", flags->report.only, "run this part only; may be given again. The page shows all that are finished")
      ->type_name("PART")
      ->check(CLI::IsMember(names_of(experiments())));
  verb->add_flag("--restart", flags->report.restart, "remove what an earlier report left in --out first");
  verb->add_option("--max-facts", flags->report.max_facts,
                   "of the contrast set; 0: all, or " + std::to_string(attribution::kQuickFacts) + " with --quick")
      ->check(not_negative())
      ->capture_default_str();
  verb->add_option("--seed", flags->seed, "of wording, samples and random heads")->capture_default_str();
  verb->add_option("--device", flags->device, "cpu, cuda, cuda:N or auto")->capture_default_str();
  verb->add_option("--dtype", flags->dtype, "float32 or bfloat16")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str();
  verb->callback([flags, verb, &context] {
    flags->report.command = command_of(*verb);
    context.run = [flags, &context] { return write(*flags, context); };
  });
}

}  // namespace openbook::cli
