#include "cli/commands.hpp"

namespace chandler::cli {

void add_commands(Registry& registry) {
  add_backfill_command(registry);
  add_import_command(registry);
  add_build_command(registry);
  add_live_command(registry);
  add_produce_command(registry);
  add_consume_command(registry);
  add_merge_command(registry);
  add_candles_command(registry);
  add_status_command(registry);
  add_report_command(registry);
  add_verify_command(registry);
  add_forecast_command(registry);
  add_serve_command(registry);
  add_doctor_command(registry);
  add_demo_command(registry);
  add_sim_command(registry);
  add_completion_command(registry);
  add_commands_command(registry);
}

}  // namespace chandler::cli
