// Every command of the program, one file each.
#pragma once

#include "cli/command.hpp"

namespace chandler::cli {

void add_backfill_command(Registry& registry);
void add_import_command(Registry& registry);
void add_build_command(Registry& registry);
void add_demo_command(Registry& registry);
void add_sim_command(Registry& registry);
void add_candles_command(Registry& registry);
void add_live_command(Registry& registry);
void add_produce_command(Registry& registry);
void add_consume_command(Registry& registry);
void add_merge_command(Registry& registry);
void add_status_command(Registry& registry);
void add_report_command(Registry& registry);
void add_verify_command(Registry& registry);
void add_forecast_command(Registry& registry);
void add_serve_command(Registry& registry);
void add_doctor_command(Registry& registry);
void add_completion_command(Registry& registry);
void add_commands_command(Registry& registry);

// All of the above, in the order of the help text.
void add_commands(Registry& registry);

}  // namespace chandler::cli
