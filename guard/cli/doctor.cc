// openbook doctor: is everything there that `ask` needs, and does it fit together?
#include <ATen/Parallel.h>
#include <sys/statvfs.h>

#include <thread>

#include "openbook/attribution/head_atlas.h"
#include "openbook/base/error.h"
#include "openbook/base/utf8.h"
#include "openbook/engine/chat_template.h"
#include "openbook/engine/decoder.h"
#include "openbook/engine/prompt.h"
#include "openbook/engine/text_encoder.h"
#include "openbook/guard/policy.h"
#include "openbook/guard/provenance_log.h"
#include "openbook/retriever/retriever.h"
#include "options.h"
#include "terminal.h"
#include "verbs.h"
#include "versions.h"

namespace openbook::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
constexpr uint64_t kLittleRoom = uint64_t{1} << 30;

struct DoctorFlags {
  std::string model, embedder, atlas, policy, index, log, key, device = "auto";
};

enum class Health { kFine, kAbsent, kWrong };

struct Finding {
  Health health = Health::kFine;
  std::string what, detail, hint;
};

// What was found on the way, for the checks that come later.
struct Patient {
  const DoctorFlags& flags;
  std::shared_ptr<const engine::Model> model;
  std::shared_ptr<const engine::TextEncoder> embedder;
};

std::string at(const Found& found) { return found.path.string() + " (by " + found.by + "): "; }

std::string check_versions(Patient&) {
  std::string text = "openbook " OPENBOOK_VERSION;
  for (const auto& [part, version] : part_versions()) text += ", " + part + " " + version;
  return text;
}

std::string check_machine(Patient& patient) {
  const std::string processor =
      plural(std::thread::hardware_concurrency(), "processor thread") + ", " + std::to_string(at::get_num_threads()) + " used";
  const int64_t devices = at::hasCUDA() ? at::getNumGPUs() : 0;
  if (devices == 0 && patient.flags.device.starts_with("cuda"))
    throw Error(Code::kFailedPrecondition, "device " + patient.flags.device + " is not there", "Use --device cpu.");
  return processor + "; " +
         (devices ? plural(static_cast<uint64_t>(devices), "CUDA device") +
                        (engine::Decoder::has_cuda_kernels() ? "" : ", decoding by libtorch: there was no nvcc to build with")
          : at::hasCUDA() ? "no CUDA device"
                          : "libtorch without CUDA");
}

std::string check_model(Patient& patient) {
  const Found found = find(Place::kModel, patient.flags.model);
  patient.model = engine::Model::load(found.path, {.device = patient.flags.device, .dtype = "float32"});
  // As `ask` does: a model that no prompt can be written for answers nothing.
  const engine::ChatTemplate chat = engine::read_chat_template(patient.model->folder());
  const engine::PromptBuilder prompts(patient.model->tokenizer(), chat);
  const auto& config = patient.model->config();
  return at(found) + std::to_string(config.layers) + " layers of " + std::to_string(config.heads) + " heads, chat template " +
         chat.name + ", fingerprint " + patient.model->fingerprint().substr(0, 12);
}

std::string check_embedder(Patient& patient) {
  const Found found = find(Place::kEmbedder, patient.flags.embedder);
  patient.embedder = engine::TextEncoder::load(found.path, patient.flags.device);
  return at(found) + patient.embedder->name() + ", " + std::to_string(patient.embedder->dimension()) + " dimensions";
}

std::string check_atlas(Patient& patient) {
  const Found found = find(Place::kAtlas, patient.flags.atlas);
  const auto atlas = attribution::HeadAtlas::load(found.path);
  if (!patient.model) return at(found) + "can be read; whether it is the model's could not be checked";
  atlas.require_model(*patient.model);
  return at(found) + "of this model, " + plural(atlas.retrieval.size(), "retrieval head") + ", fingerprint " +
         atlas.fingerprint().substr(0, 12);
}

std::string check_policy(Patient& patient) {
  const Found found = find(Place::kPolicy, patient.flags.policy);
  const Policy policy = Policy::load(found.path);
  return at(found) + policy.name + ", fingerprint " + policy.fingerprint().substr(0, 12);
}

std::string check_index(Patient& patient) {
  const Found found = find(Place::kIndex, patient.flags.index);
  const auto index = retriever::Retriever::open(found.path, patient.embedder, retriever::OpenMode::kReadOnly);
  return at(found) + plural(index->documents().size(), "document") + ", " + plural(index->chunk_count(), "chunk") +
         ", generation " + std::to_string(index->generation());
}

std::string check_log(Patient& patient) {
  const Found found = find(Place::kLog, patient.flags.log);
  const auto key = look_for(Place::kLogKey, patient.flags.key);
  const LogReport report = ProvenanceLog::open(found.path, key ? key->path : fs::path(), LogMode::kReadOnly)->verify();
  if (report.state != LogState::kWhole)
    throw Error(Code::kDataLoss, at(found) + report.finding, "`openbook log verify` says more.");
  return at(found) + "whole, " + plural(report.records, "record") + ", " + std::to_string(report.interrupted.size()) +
         " interrupted";
}

std::string check_disk(Patient& patient) {
  const auto index = look_for(Place::kIndex, patient.flags.index);
  std::error_code unknown;
  const fs::path folder = index && fs::is_directory(index->path, unknown) ? index->path : ".";
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0)
    throw Error(Code::kUnavailable, folder.string() + ": can't read how much room there is");
  const uint64_t free = static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
  const std::string text = size_text(free) + " free at " + fs::absolute(folder, unknown).lexically_normal().string();
  if (free < kLittleRoom)
    throw Error(Code::kResourceExhausted, text, "Make room: ingest and the log stop when the disk is full.");
  return text;
}

struct Check {
  const char* what;
  std::string (*run)(Patient& patient);
  std::optional<Place> optional_place;  // its absence is no fault
};
constexpr Check kChecks[] = {
    {"versions", check_versions, std::nullopt}, {"machine", check_machine, std::nullopt},   {"disk", check_disk, std::nullopt},
    {"model", check_model, std::nullopt},       {"embedder", check_embedder, std::nullopt}, {"atlas", check_atlas, std::nullopt},
    {"policy", check_policy, std::nullopt},     {"index", check_index, Place::kIndex},      {"log", check_log, Place::kLog},
};

const std::string& flag_of(const DoctorFlags& flags, Place place) { return place == Place::kIndex ? flags.index : flags.log; }

Finding examine(const Check& check, Patient& patient) {
  if (check.optional_place && !look_for(*check.optional_place, flag_of(patient.flags, *check.optional_place)))
    return {Health::kAbsent, check.what, "none named", ""};
  try {
    return {Health::kFine, check.what, check.run(patient), ""};
  } catch (const Error& error) {
    return {Health::kWrong, check.what, error.what(), error.hint()};
  }
}

std::string health_name(Health health) {
  switch (health) {
    case Health::kFine:
      return "ok";
    case Health::kAbsent:
      return "none";
    case Health::kWrong:
      return "wrong";
  }
  return "unknown";
}

void print_finding(const Finding& finding) {
  const std::string name = health_name(finding.health);
  const Style style = finding.health == Health::kWrong  ? Style::kBad
                      : finding.health == Health::kFine ? Style::kGood
                                                        : Style::kFaint;
  std::string what = finding.what;
  what.resize(10, ' ');
  print(paint(style, name) + std::string(7 - name.size(), ' ') + what + escape_line(finding.detail) + "\n");
  if (!finding.hint.empty()) print(std::string(17, ' ') + escape_line(finding.hint) + "\n");
}

int doctor(const DoctorFlags& flags, const Context& context) {
  Patient patient{flags, nullptr, nullptr};
  Json findings = Json::array();
  bool healthy = true;
  for (const Check& check : kChecks) {
    context.cancellation.check();
    const Finding finding = examine(check, patient);
    healthy = healthy && finding.health != Health::kWrong;
    if (context.json())
      findings.push_back(
          {{"check", finding.what}, {"state", health_name(finding.health)}, {"detail", finding.detail}, {"hint", finding.hint}});
    else
      print_finding(finding);
  }
  if (context.json()) print_json({{"healthy", healthy}, {"checks", std::move(findings)}});
  return healthy ? kDone : kFailed;
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  auto flags = std::make_shared<DoctorFlags>();
  CLI::App* verb = add_verb(
      app, context, "doctor",
      "Checks that models, atlas, policy, index and log are there and fit together. Exit status 1 when something is wrong.",
      "openbook doctor\nopenbook doctor --index handbook.index --device cuda");
  add_place(*verb, Place::kModel, flags->model);
  add_place(*verb, Place::kEmbedder, flags->embedder);
  add_place(*verb, Place::kAtlas, flags->atlas);
  add_place(*verb, Place::kPolicy, flags->policy);
  add_place(*verb, Place::kIndex, flags->index);
  add_place(*verb, Place::kLog, flags->log);
  add_place(*verb, Place::kLogKey, flags->key);
  verb->add_option("--device", flags->device, "cpu, cuda, or auto: cuda when there is one")
      ->type_name("DEVICE")
      ->capture_default_str();
  verb->callback([flags, &context] { context.run = [flags, &context] { return doctor(*flags, context); }; });
}

}  // namespace openbook::cli
