// A policy file (TOML).
#include "fuzz.h"
#include "openbook/guard/policy.h"

void openbook::fuzz::run(std::string_view input) { Policy::parse(input, "policy.toml").fingerprint(); }
